"""The workbench of models of tokens: Transformers and the LSTM of the published study. It plays nothing."""
