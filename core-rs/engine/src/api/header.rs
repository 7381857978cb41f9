//! The request header, read from the front of a frame before anything else is known about it. It never judges
//! whether a version is served.

use super::wire::{Reader, WireError};

/// First flexible version of each API's request (kafka-clients 4.3 schemas); `i16::MAX` = never. From that version
/// on the request header is version 2, which ends in tagged fields. The index is the API key.
const FIRST_FLEXIBLE: [i16; 95] = {
    const NEVER: i16 = i16::MAX;
    [
        9, 12, 6, 9, 4, 2, 6, 3, 8, 6, // 0 Produce … 9 OffsetFetch
        3, 6, 4, 4, 4, 5, 3, NEVER, 3, 5, // 10 FindCoordinator … 19 CreateTopics
        4, 2, 2, 4, 3, 3, 3, 1, 3, 2, // 20 DeleteTopics … 29 DescribeAcls
        2, 2, 4, 2, 2, 2, 2, 2, 2, 2, // 30 CreateAcls … 39 RenewDelegationToken
        2, 2, 2, 2, 1, 0, 0, NEVER, 1, 1, // 40 ExpireDelegationToken … 49 AlterClientQuotas
        0, 0, 0, 1, 1, 0, 0, 0, 0, 0, // 50 DescribeUserScramCredentials … 59 FetchSnapshot
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 60 … 69
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 70 … 79
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 80 … 89
        0, 0, 0, 0, 0, // 90 … 94
    ]
};

/// Whether version `api_version` of `api_key` is flexible: request header version 2. Unknown keys are not.
pub fn is_flexible(api_key: i16, api_version: i16) -> bool {
    let first = usize::try_from(api_key).ok().and_then(|key| FIRST_FLEXIBLE.get(key));
    first.is_some_and(|&first| api_version >= first)
}

/// What every request begins with. `body_offset` is where its body starts in the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
    pub client_id: Option<Box<str>>,
    pub body_offset: usize,
    /// The request is of a flexible version: compact lengths and tagged fields.
    pub flexible: bool,
}

impl RequestHeader {
    /// Reads the header of a frame (without its size prefix).
    ///
    /// The client id is an i16-length string in every header version. Errors: those of the wire reader; nothing is
    /// said about keys and versions that nobody serves, except that only the three fixed fields and the client id
    /// are read of them.
    pub fn parse(frame: &[u8]) -> Result<RequestHeader, WireError> {
        let mut reader = Reader::new(frame, 0, false);
        let api_key = reader.i16("api key")?;
        let api_version = reader.i16("api version")?;
        let correlation_id = reader.i32("correlation id")?;
        let client_id = reader.nullable_string("client id")?.map(Box::from);
        let flexible = is_flexible(api_key, api_version);
        let mut reader = Reader::new(frame, reader.position(), flexible);
        reader.skip_tagged()?;
        Ok(RequestHeader {
            api_key,
            api_version,
            correlation_id,
            client_id,
            body_offset: reader.position(),
            flexible,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_classic_and_a_flexible_header() {
        let classic = [0, 0, 0, 8, 0, 0, 0, 5, 0, 2, b'm', b'e', 0xaa];
        let header = RequestHeader::parse(&classic).unwrap();
        assert_eq!((header.api_key, header.api_version, header.correlation_id), (0, 8, 5));
        assert_eq!(header.client_id.as_deref(), Some("me"));
        assert_eq!((header.body_offset, header.flexible), (12, false));

        let flexible = [0, 0, 0, 9, 0, 0, 0, 5, 0xff, 0xff, 1, 7, 2, 1, 2, 0xaa];
        let header = RequestHeader::parse(&flexible).unwrap();
        assert_eq!((header.client_id, header.body_offset, header.flexible), (None, 15, true));
    }

    #[test]
    fn refuses_a_header_that_the_frame_cuts() {
        assert!(RequestHeader::parse(&[]).is_err());
        assert!(RequestHeader::parse(&[0, 18, 0, 3, 0, 0, 0, 1]).is_err());
        assert!(RequestHeader::parse(&[0, 18, 0, 3, 0, 0, 0, 1, 0, 9, b'x']).is_err());
        assert!(
            RequestHeader::parse(&[0, 18, 0, 3, 0, 0, 0, 1, 0xff, 0xff]).is_err(),
            "its tags are missing"
        );
    }

    #[test]
    fn knows_that_some_apis_never_became_flexible() {
        assert!(!is_flexible(17, 1));
        assert!(!is_flexible(47, 0));
        assert!(!is_flexible(-1, 3));
        assert!(!is_flexible(1000, 3));
        assert!(is_flexible(18, 3));
        assert!(!is_flexible(18, 2));
    }
}
