//! Conditional requests and ranges. RFC 9110, sections 13 and 14.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_range_header::RangeUnsatisfiableError;
use hyper::header::{
    HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
};
use hyper::HeaderMap;

use super::super::entity_tag;

/// The result of a request's conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Holds,
    /// The client already has the current version.
    NotModified,
    /// The client requires a version that is gone.
    Failed,
}

/// Evaluates the conditions, in the order of RFC 9110, section 13.2.2.
pub(super) fn check(headers: &HeaderMap, etag: &str, modified: Option<SystemTime>) -> Condition {
    if headers.contains_key(IF_MATCH) {
        if !entity_tag::lists(headers, &IF_MATCH, etag) {
            return Condition::Failed;
        }
    } else if let (Some(since), Some(modified)) = (date(headers, &IF_UNMODIFIED_SINCE), modified) {
        if whole_seconds(modified) > since {
            return Condition::Failed;
        }
    }
    if headers.contains_key(IF_NONE_MATCH) {
        if entity_tag::lists_weakly(headers, &IF_NONE_MATCH, etag) {
            return Condition::NotModified;
        }
    } else if let (Some(since), Some(modified)) = (date(headers, &IF_MODIFIED_SINCE), modified) {
        if whole_seconds(modified) <= since {
            return Condition::NotModified;
        }
    }
    Condition::Holds
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

/// Rounds down to whole seconds, the precision of HTTP's dates.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// Returns whether the range refers to the version that the client knows: `If-Range`. RFC 9110, section 13.1.5.
pub(super) fn range_applies(headers: &HeaderMap, etag: &str, modified: Option<SystemTime>) -> bool {
    let Some(condition) = headers.get(IF_RANGE) else { return true };
    match date(headers, &IF_RANGE) {
        Some(date) => modified.is_some_and(|modified| whole_seconds(modified) == date),
        None => condition == etag,
    }
}

/// The part of a file that a range selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selected {
    All,
    /// The first byte, and the number of bytes.
    Part(u64, u64),
    Nothing,
}

/// Removes the blanks around the marks of a range, which RFC 9110 does not allow and Tornado accepts.
fn without_blanks(range: &str) -> Cow<'_, str> {
    if !range.contains([' ', '\t']) {
        return Cow::Borrowed(range);
    }
    let parts = range.split_inclusive(['=', ',', '-']);
    let marked = parts.map(|part| match part.strip_suffix(['=', ',', '-']) {
        Some(before) => (before.trim(), &part[before.len()..]),
        None => (part.trim(), ""),
    });
    Cow::Owned(marked.flat_map(|(before, mark)| [before, mark]).collect())
}

/// Returns what the header `Range` selects. A malformed range, or several ranges, select everything.
pub(super) fn select(range: Option<&HeaderValue>, len: u64) -> Selected {
    let Some(range) = range.and_then(|range| range.to_str().ok()) else { return Selected::All };
    let valid = match http_range_header::parse_range_header(&without_blanks(range)) {
        Ok(ranges) if ranges.len() == 1 => ranges.validate(len),
        Err(RangeUnsatisfiableError::Unsatisfiable) => return Selected::Nothing,
        Ok(_) | Err(_) => return Selected::All,
    };
    match valid {
        Ok(valid) => valid
            .first()
            .map_or(Selected::All, |range| Selected::Part(*range.start(), range.end() - range.start() + 1)),
        Err(_) => Selected::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(range: &'static str, len: u64) -> Selected {
        select(Some(&HeaderValue::from_static(range)), len)
    }

    #[test]
    fn ranges_select_parts() {
        assert_eq!(selected("bytes=0-0", 10), Selected::Part(0, 1));
        assert_eq!(selected("bytes=2-", 10), Selected::Part(2, 8));
        assert_eq!(selected("bytes=-3", 10), Selected::Part(7, 3));
        assert_eq!(selected("bytes=-30", 10), Selected::Part(0, 10));
        assert_eq!(selected("bytes=5-100", 10), Selected::Part(5, 5));
    }

    #[test]
    fn ranges_that_no_file_of_that_length_has_select_nothing() {
        assert_eq!(selected("bytes=10-", 10), Selected::Nothing);
        assert_eq!(selected("bytes=0-", 0), Selected::Nothing);
        assert_eq!(selected("bytes=-0", 10), Selected::Nothing);
    }

    #[test]
    fn what_is_not_one_range_selects_everything() {
        for range in ["bytes=0-1,3-4", "bytes=5-2", "bytes=", "bytes=a-b", "lines=0-1", "0-1"] {
            assert_eq!(selected(range, 10), Selected::All, "{range}");
        }
    }

    fn checked(header: HeaderName, value: &'static str) -> Condition {
        let headers = HeaderMap::from_iter([(header, HeaderValue::from_static(value))]);
        let modified = UNIX_EPOCH + Duration::from_millis(784_111_777_500);
        check(&headers, "\"a-1\"", Some(modified))
    }

    #[test]
    fn tags_are_compared() {
        assert_eq!(checked(IF_NONE_MATCH, "\"a-1\""), Condition::NotModified);
        assert_eq!(checked(IF_NONE_MATCH, "\"b\", W/\"a-1\""), Condition::NotModified);
        assert_eq!(checked(IF_NONE_MATCH, "*"), Condition::NotModified);
        assert_eq!(checked(IF_NONE_MATCH, "\"b\""), Condition::Holds);
        assert_eq!(checked(IF_MATCH, "\"a-1\""), Condition::Holds);
        assert_eq!(checked(IF_MATCH, "W/\"a-1\""), Condition::Failed);
        assert_eq!(checked(IF_MATCH, "\"b\""), Condition::Failed);
    }

    #[test]
    fn dates_are_compared_by_whole_seconds() {
        assert_eq!(checked(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT"), Condition::NotModified);
        assert_eq!(checked(IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT"), Condition::Holds);
        assert_eq!(checked(IF_MODIFIED_SINCE, "yesterday"), Condition::Holds);
        assert_eq!(checked(IF_UNMODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT"), Condition::Holds);
        assert_eq!(checked(IF_UNMODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT"), Condition::Failed);
    }
}
