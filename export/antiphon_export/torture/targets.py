"""What reads what others wrote: a sound input or several, and how each is read. It changes none of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from antiphon.errors import AntiphonError

Read = Callable[[Path], None]
"""Reads a file and does with it what a command would. Raises AntiphonError if it refuses it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A reader, and sound inputs for it."""

    name: str
    file_name: str
    """What a file of this kind is called."""
    seeds: tuple[bytes, ...]
    read: Read
    share: int
    """How many of all cases it gets, beside the others: what is read in no time gets many."""


def targets(folder: Path) -> Iterator[Target]:
    """All readers; `folder` is a place for what they need beside the files that they read."""
    yield Target("MIDI files", "music.mid", _midi_files(folder), _read_midi, 20)
    yield Target("journals of sessions", "journal.jsonl", _journals(folder), _read_journal, 4)
    yield Target("presets", "preset.toml", _presets(), _read_preset, 4)
    yield Target("setlists", "setlist.toml", _setlists(), _read_setlist, 2)
    yield Target("model metadata", "model.onnx", _model_files(), _read_model_file, 20)
    yield Target("Markov tables", "table.npz", _tables(), _read_table, 1)
    yield Target("announcements of ports", "1.json", _announcements(), _read_announcement, 20)
    yield Target("manifests of corpora", "manifest.csv", _manifests(), _read_manifest, 10)
    yield Target("bytes of a socket peer", "bytes", _streams(), _read_stream, 20)
    if find_spec("torch") is not None:
        yield Target("checkpoints of training", "last.pt", (_checkpoint(folder),), _read_checkpoint, 10)


# ---- music -----------------------------------------------------------------------------------------------------------


def _midi_files(folder: Path) -> tuple[bytes, ...]:
    from antiphon.music.messages import control_change, note_off, note_on
    from antiphon.music.midi_file import Score, Track, write_score
    from antiphon.music.timing import TimeSignature

    events = [(240 * n, note_on(n % 3, 60 + n, 80)) for n in range(12)]
    events += [(240 * n + 200, note_off(n % 3, 60 + n)) for n in range(12)]
    pedals = ((0, control_change(0, 64, 127)), (900, control_change(0, 64, 0)))
    score = Score(
        (Track("right hand", tuple(events)), Track("left", pedals)),
        ((0, 100.0), (960, 140.0)),
        ((0, TimeSignature(3, 4)), (1440, TimeSignature(4, 4))),
        ((960, "here"),),
    )
    write_score(folder / "seed.mid", score)
    whole = (folder / "seed.mid").read_bytes()
    running = b"\0\x90\x3c\x40\x60\x3c\0\0\xf0\x03\x7e\x7f\xf7\0\xff\x03\x01a\0\xff\x2f\0"
    single = b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk" + len(running).to_bytes(4, "big") + running
    wrapped = b"RIFF" + (len(single) + 12).to_bytes(4, "little") + b"RMIDdata" + len(single).to_bytes(4, "little")
    return whole, single, wrapped + single


def _read_midi(path: Path) -> None:
    from antiphon.session.summary import read_music

    score = read_music(path)
    score.phrase()
    score.timed_messages()


# ---- sessions --------------------------------------------------------------------------------------------------------


def _journals(folder: Path) -> tuple[bytes, ...]:
    from antiphon.duet.offline import Offline
    from antiphon.duet.plan import Handover, Plan, VoicePlan
    from antiphon.music.messages import control_change, note_off, note_on
    from antiphon.plugins.making import make_player
    from antiphon.session.header import Header
    from antiphon.session.journal import JOURNAL_NAME, JournalWriter, Record

    voice = VoicePlan("markov", handover=Handover(by="trigger", trigger_cc=20), answer_bars=1, channel=1)
    plans = (Plan("one", (voice,), outputs=("virtual",)), Plan("two", (voice,), 90.0, outputs=("virtual",)))
    stage = Offline(plans, make_player)
    stage.begin()
    for n in range(6):
        stage.hear(note_on(0, 60 + 2 * n, 80), 240 * n, ("virtual",), "Antiphon:in")
        stage.hear(note_off(0, 60 + 2 * n), 240 * n + 200, ("virtual",), "Antiphon:in")
    stage.hear(control_change(0, 20, 127), 1500)
    stage.end(3840)
    header = Header(plans, ("virtual",), {"antiphon": "0"}, "2026-01-01T00:00:00")
    writer = JournalWriter(folder / "seed", header)
    writer.write([Record(what) for what in stage.record_of])
    writer.close()
    return ((folder / "seed" / JOURNAL_NAME).read_bytes(),)


def _read_journal(path: Path) -> None:
    from antiphon.music.midi_file import write_score
    from antiphon.session.continuation import replay_session
    from antiphon.session.journal import read_session
    from antiphon.session.summary import score_of, statistics

    session = read_session(path)
    json.dumps(statistics(session.header, session.records), allow_nan=False)
    write_score(path.with_suffix(".mid"), score_of(session.header, session.records))
    replay_session(session)


# ---- presets ---------------------------------------------------------------------------------------------------------


def _presets() -> tuple[bytes, ...]:
    from antiphon.plugins.host import load_plugins

    files = sorted(file for folder in load_plugins().preset_folders for file in folder.glob("*.toml"))
    return tuple(file.read_bytes() for file in files)


def _read_preset(path: Path) -> None:
    from antiphon.plugins.host import load_plugins
    from antiphon.presets.library import PresetLibrary
    from antiphon.presets.writer import preset_text

    plugins = load_plugins()
    PresetLibrary([], path.parent).listings()
    for plan in PresetLibrary(plugins.preset_folders, path.parent).load_set(str(path), plugins.infos):
        preset_text(plan)


def _setlists() -> tuple[bytes, ...]:
    return (
        b'presets = ["answer", "trade", "markov"]\nswitch = "bar"\n\n[remote]\nnext_note = 24\npanic_cc = 21\n',
        b'description = "An evening"\npresets = ["morph", "accompany", "answer"]\n',
    )


_read_setlist = _read_preset


# ---- models ----------------------------------------------------------------------------------------------------------


def _model_files() -> tuple[bytes, ...]:
    tokens = {
        "antiphon_contract": "1",
        "name": "toy",
        "version": "3",
        "architecture": "transformer",
        "codec": "grid",
        "codec_version": "1",
        "vocabulary": "153",
        "parameters": "4038144",
        "precision": "int8",
        "window": "256",
        "capacity": "447",
        "chunk": "64",
        "layers": "6",
        "heads": "4",
        "head_size": "64",
        "distances": "0",
        "rotary_base": "10000.0",
        "licences": "CC0",
        "validation_nll": "1.75",
        "corpora": '[{"name": "chopin", "weight": 1.0}, {"name": "rolls"}]',
    }
    rolls = {
        "antiphon_contract": "1",
        "name": "toy",
        "version": "3",
        "architecture": "vae",
        "codec": "roll",
        "codec_version": "1",
        "parameters": "4038144",
        "precision": "int8",
        "steps": "32",
        "latent": "4",
        "licences": "CC0",
        "corpora": "[]",
        "directions": '{"density": [0.5, 1, -2, 0]}',
    }
    return _model_file(tokens), _model_file(rolls)


def _model_file(metadata: dict[str, str]) -> bytes:
    """An ONNX file with these metadata, and something in place of the graph."""
    entries = [_field(14, _field(1, key.encode()) + _field(2, value.encode())) for key, value in metadata.items()]
    return b"\x08\x0b" + _field(7, b"\x0a\x03abc") + b"".join(entries)


def _field(number: int, content: bytes) -> bytes:
    return bytes((8 * number + 2,)) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])


def _read_model_file(path: Path) -> None:
    from antiphon.cli.models import described
    from antiphon.models.card import read_any_card, read_heads
    from antiphon.models.library import ModelLibrary

    for listing in ModelLibrary([], path.parent).listings():
        described(listing)
    read_any_card(path)
    read_heads(path)


def _tables() -> tuple[bytes, ...]:
    from antiphon_plugins.markov.table import SHIPPED

    return (SHIPPED.read_bytes(),)


def _read_table(path: Path) -> None:
    from antiphon_plugins.markov.table import load_table

    load_table(path)


# ---- ports -----------------------------------------------------------------------------------------------------------


def _announcements() -> tuple[bytes, ...]:
    from antiphon.midi.announcements import Announcement, new_token

    return (json.dumps(asdict(Announcement("Antiphon:out", "output", 40_000, new_token()))).encode(),)


def _read_announcement(path: Path) -> None:
    from antiphon.midi.announcements import read_announcement

    if read_announcement(path) is None:
        raise AntiphonError("it is no announcement")


def _streams() -> tuple[bytes, ...]:
    from antiphon.music.messages import control_change, note_off, note_on, pitch_bend

    chord = b"".join(note_on(0, pitch, 80) for pitch in (60, 64, 67))
    release = b"".join(note_off(0, pitch) for pitch in (60, 64, 67))
    return (
        chord + control_change(0, 64, 127) + release + control_change(0, 64, 0),
        b"\xf8".join((chord, pitch_bend(0, 9000), b"\xf0\x7e\x7f\xf7", b"\xc3\x05", release)),
        control_change(0, 123, 0) + chord + control_change(0, 121, 0),
    )


def _read_stream(path: Path) -> None:
    """As a peer of a port of ours would: all that leaves it is sound, and what the peer held ends with it."""
    from antiphon.midi.peer_stream import PeerStream
    from antiphon.music.hands import Hands
    from antiphon.music.messages import is_well_formed

    hands, stream = Hands(), PeerStream("peer")
    passed = [each for message in stream.read(path.read_bytes()) for each in hands.pass_on(0, message, "peer")]
    passed += [message for _, message in hands.leave("peer")]
    if not all(map(is_well_formed, passed)):
        raise ValueError("a malformed message was passed on")
    if _sounding(passed):
        raise ValueError("a note was left sounding")


def _sounding(passed: list[bytes]) -> set[tuple[int, int]]:
    from antiphon.music.messages import channel, ends_all, is_note_off, is_note_on

    down: set[tuple[int, int]] = set()
    for message in passed:
        if is_note_on(message):
            down.add((channel(message), message[1]))
        elif is_note_off(message):
            down.discard((channel(message), message[1]))
        elif ends_all(message):
            down = {key for key in down if key[0] != channel(message)}
    return down


# ---- the workbench ---------------------------------------------------------------------------------------------------


def _manifests() -> tuple[bytes, ...]:
    return (b'file,split\na.mid,train\n"b, c.mid",valid\nd.mid,test\n',)


def _read_manifest(path: Path) -> None:
    from antiphon_export.midi_folder import Corpus

    Corpus.parse(str(path.parent)).splits()


def _checkpoint(folder: Path) -> bytes:
    import torch

    path = folder / "seed.pt"
    model = {"weight": torch.zeros(4, 4)}
    torch.save({"architecture": "lstm", "settings": {"layers": 1}, "codec": "grid", "model": model, "step": 1}, path)
    return path.read_bytes()


def _read_checkpoint(path: Path) -> None:
    from antiphon_export.training.run_folder import load_checkpoint

    load_checkpoint(path)
