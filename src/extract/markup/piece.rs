//! What is left to html5ever's own tokenizer.

use std::cell::RefCell;

use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// What html5ever's tokenizer makes of a piece of a page.
pub(super) fn tokens(piece: &str) -> Vec<Token> {
    let tokens = Tokens::default();
    let options = TokenizerOpts { discard_bom: false, ..TokenizerOpts::default() };
    let tokens = feed(Tokenizer::new(tokens, options), StrTendril::from_slice(piece));
    let mut tokens = tokens.0.into_inner();
    tokens.retain(|token| *token != Token::EOFToken);
    tokens
}

pub(super) fn feed<Sink: TokenSink>(tokenizer: Tokenizer<Sink>, text: StrTendril) -> Sink {
    let input = BufferQueue::default();
    input.push_back(text);
    // It stops after each script, for somebody to run it.
    while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink
}

/// Keeps tokens.
#[derive(Default)]
struct Tokens(RefCell<Vec<Token>>);

impl TokenSink for Tokens {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        self.0.borrow_mut().push(token);
        TokenSinkResult::Continue
    }
}
