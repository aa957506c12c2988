"""The recipe of `ko-en`: a small Korean grammar, its tokenizer, and an encoder-decoder that learns to translate it."""
