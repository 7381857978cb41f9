//! A small strict JSON reader (RFC 8259) for the options of `open` and for golden test files.
//! It is not on any request path and never sees what a client sent.

use super::wire::{BoundaryError, Parsed};

/// Nesting beyond this is refused, so that the reader's own stack is bounded.
const MAX_DEPTH: usize = 32;

/// A JSON value. Numbers keep their text, so that 64-bit integers stay exact; members keep their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn parse(text: &str) -> Result<Json, BoundaryError> {
        let mut source = Source { rest: text };
        let value = source.value(0)?;
        source.skip_space();
        if source.rest.is_empty() { Ok(value) } else { Err(source.unexpected()) }
    }

    /// The member of an object; `None` for other values and for members that are missing or null.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let Json::Object(members) = self else { return None };
        let found = members.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        found.filter(|value| **value != Json::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Json::String(text) = self { Some(text) } else { None }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Json::Bool(value) = self { Some(*value) } else { None }
    }

    /// An integer; a number such as `1e3` or `1.5` is none.
    pub fn as_i64(&self) -> Option<i64> {
        if let Json::Number(text) = self { text.parse().ok() } else { None }
    }

    pub fn items(&self) -> Option<&[Json]> {
        if let Json::Array(items) = self { Some(items) } else { None }
    }

    pub fn members(&self) -> Option<&[(String, Json)]> {
        if let Json::Object(members) = self { Some(members) } else { None }
    }
}

struct Source<'a> {
    rest: &'a str,
}

impl Source<'_> {
    fn unexpected(&self) -> BoundaryError {
        match self.rest.chars().next() {
            Some(found) => BoundaryError::new(format!("unexpected {found:?} in JSON")),
            None => BoundaryError::new("JSON that ends too early"),
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn value(&mut self, depth: usize) -> Parsed<Json> {
        if depth > MAX_DEPTH {
            return Err(BoundaryError::new("JSON nested too deeply"));
        }
        self.skip_space();
        if self.eat("null") {
            Ok(Json::Null)
        } else if self.eat("true") {
            Ok(Json::Bool(true))
        } else if self.eat("false") {
            Ok(Json::Bool(false))
        } else if self.eat("[") {
            self.array(depth)
        } else if self.eat("{") {
            self.object(depth)
        } else if self.rest.starts_with('"') {
            Ok(Json::String(self.string()?))
        } else {
            self.number()
        }
    }

    fn array(&mut self, depth: usize) -> Parsed<Json> {
        let mut items = Vec::new();
        self.skip_space();
        if self.eat("]") {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.eat("]") {
                return Ok(Json::Array(items));
            }
            self.expect(",")?;
        }
    }

    fn object(&mut self, depth: usize) -> Parsed<Json> {
        let mut members = Vec::new();
        self.skip_space();
        if self.eat("}") {
            return Ok(Json::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.expect(":")?;
            members.push((name, self.value(depth + 1)?));
            self.skip_space();
            if self.eat("}") {
                return Ok(Json::Object(members));
            }
            self.expect(",")?;
        }
    }

    fn number(&mut self) -> Parsed<Json> {
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        let starts_well = text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        if !starts_well || text.parse::<f64>().is_err() {
            return Err(self.unexpected());
        }
        self.rest = rest;
        Ok(Json::Number(text.to_owned()))
    }

    fn string(&mut self) -> Parsed<String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            let Some(next) = self.take_char() else { return Err(self.unexpected()) };
            match next {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                control if control < ' ' => {
                    return Err(BoundaryError::new("a control character inside a JSON string"));
                }
                plain => text.push(plain),
            }
        }
    }

    fn take_char(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        Some(next)
    }

    fn escape(&mut self) -> Parsed<char> {
        Ok(match self.take_char() {
            Some(same @ ('"' | '\\' | '/')) => same,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let high = self.hex4()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high)
                        .ok_or_else(|| BoundaryError::new("a lone surrogate in JSON"));
                }
                self.expect("\\u")?;
                let low = self.hex4()?.wrapping_sub(0xdc00);
                let code = if low < 0x400 { 0x10000 + ((high - 0xd800) << 10) + low } else { 0xd800 };
                char::from_u32(code).ok_or_else(|| BoundaryError::new("a lone surrogate in JSON"))?
            }
            _ => return Err(BoundaryError::new("an unknown escape in a JSON string")),
        })
    }

    fn hex4(&mut self) -> Parsed<u32> {
        let Some((digits, rest)) = self.rest.split_at_checked(4) else { return Err(self.unexpected()) };
        self.rest = rest;
        let is_hex = digits.chars().all(|c| c.is_ascii_hexdigit());
        let code = if is_hex { u32::from_str_radix(digits, 16).ok() } else { None };
        code.ok_or_else(|| BoundaryError::new("an unknown escape in a JSON string"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind_are_read() {
        let text =
            r#" {"a":[1,-9223372036854775808,true,false,null],"b":{"c":"\u00e9\ud83d\ude00\n\"/"},"d":""} "#;
        let value = Json::parse(text).unwrap();
        let items = value.get("a").unwrap().items().unwrap();
        assert_eq!(items[1].as_i64(), Some(i64::MIN));
        assert_eq!(items[2].as_bool(), Some(true));
        assert_eq!(items[4], Json::Null);
        assert_eq!(value.get("b").unwrap().get("c").unwrap().as_str(), Some("é😀\n\"/"));
        assert_eq!(value.get("nothing"), None);
    }

    #[test]
    fn malformed_text_is_refused() {
        let deep = "[".repeat(100);
        for text in
            ["", "{", "[1,]", "{\"a\" 1}", "nul", "\"\\ud800\"", "\"\\x\"", "1 2", "-", "\"a", "[1", &deep]
        {
            assert!(Json::parse(text).is_err(), "{text}");
        }
    }
}
