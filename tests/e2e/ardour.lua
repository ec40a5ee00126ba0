-- Ardour without its windows: it leads by MIDI clock, and records what it hears through JACK. It connects nothing.
--
-- Arguments: the folder of the session to make, its tempo, and NAME=CHANNEL for each track. Lines on standard input say
-- what to do: `play` or `record` from the beginning of the song, `stop`, `look`, or `notes`, which tells every note on
-- record. It answers in lines that begin with @, as JSON; the other lines are Ardour's own.

local folder, tempo_bpm = arg[1], tonumber(arg[2])

local function say(format, ...)
  io.stdout:write("@", string.format(format, ...), "\n")
  io.stdout:flush()
end

local options = ARDOUR.config()
options:set_send_midi_clock(true)
options:set_auto_connect_standard_busses(false)
options:set_input_auto_connect(ARDOUR.AutoConnectOption.ManualConnect)
options:set_output_auto_connect(ARDOUR.AutoConnectOption.ManualConnect)

AudioEngine:set_backend("JACK", "ardour", "")
local session = create_session(folder, "session", 48000)

local tempi = Temporal.TempoMap.fetch_writable()
tempi:set_tempo(Temporal.Tempo(tempo_bpm, tempo_bpm, 4), Temporal.timepos_t(0))
Temporal.TempoMap.update(tempi)
tempi = nil

local midi = ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1)
local tracks = {}
for number = 3, #arg do
  local name, channel = arg[number]:match("^(.+)=(%d+)$")
  local made = session:new_midi_track(midi, midi, true, ARDOUR.PluginInfo(), nil, nil, 1, name,
    ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
  for route in made:iter() do
    local track = route:to_track():to_midi_track()
    track:set_capture_channel_mode(ARDOUR.ChannelMode.FilterChannels, 1 << (channel - 1))
    track:rec_enable_control():set_value(1, PBD.GroupControlDisposition.NoGroup)
    tracks[#tracks + 1] = track
  end
end

local function ticks(beats)
  local whole, rest = beats:str():match("^(%d+):(%d+)$")
  return whole * Temporal.ticks_per_beat + rest
end

local commands = {}

function commands.play()
  session:goto_start(true)
end

function commands.record()
  session:maybe_enable_record(false)
  session:goto_start(true)
end

function commands.stop()
  session:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
end

function commands.look()
end

function commands.notes()
  local tempo = Temporal.TempoMap.read()
  for _, track in ipairs(tracks) do
    for region in track:playlist():region_list():iter() do
      local model = region:to_midiregion():midi_source(0):model()
      local begin = region:position():ticks() - region:start():ticks()
      for note in ARDOUR.LuaAPI.note_list(model):iter() do
        local place = Temporal.timepos_t.from_ticks(begin + ticks(note:time()))
        local bar = tempo:bbt_at(place)
        say('{"track": "%s", "sample": %d, "ticks": %d, "bar": [%d, %d, %d], "length": %d, "channel": %d, "pitch": %d}',
          track:name(), tempo:sample_at(place), place:ticks(), bar.bars, bar.beats, bar.ticks,
          ticks(note:length()), note:channel() + 1, note:note())
      end
    end
  end
end

say('{"is": "ready", "alive": %s}', AudioEngine:running())
for command in io.lines() do
  commands[command]()
  say('{"is": "done", "rolling": %s, "recording": %s}', session:transport_rolling(), session:actively_recording())
end
