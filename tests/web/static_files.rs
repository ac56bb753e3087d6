//! The files of a directory.

use std::fs;
use std::path::PathBuf;

use squall::web::{Application, StaticFiles};

use crate::client::{ask, get, serve, talk};

/// A directory that is deleted after the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("squall-{name}-{}", std::process::id()));
        let root = path.join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(path.join("secret.txt"), "secret").unwrap();
        fs::write(root.join("a.txt"), "0123456789").unwrap();
        fs::write(root.join("empty"), "").unwrap();
        fs::write(root.join("sub/page.html"), "<p>").unwrap();
        fs::write(root.join("a b.json"), "{}").unwrap();
        fs::write(root.join("big.bin"), vec![7; 300_000]).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink("a.txt", root.join("inside")).unwrap();
            symlink("../secret.txt", root.join("outside")).unwrap();
            symlink("..", root.join("up")).unwrap();
            symlink("loop", root.join("loop")).unwrap();
        }
        Self(path)
    }

    fn app(&self) -> Application {
        Application::new().route("/static/{*path}", StaticFiles::new(self.0.join("root")))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_have_types_tags_and_dates() {
    let directory = Directory::new("types");
    serve(&directory.app(), |address| async move {
        let file = get(address, "/static/a.txt").await?;
        assert_eq!((file.status, file.text()), (200, "0123456789"));
        assert_eq!(file.header("content-type"), Some("text/plain; charset=UTF-8"));
        assert_eq!(file.header("accept-ranges"), Some("bytes"));
        assert!(file.header("etag").is_some_and(|etag| etag.starts_with('"')));
        assert!(file.header("last-modified").is_some_and(|date| date.ends_with(" GMT")));
        assert_eq!(
            get(address, "/static/sub/page.html").await?.header("content-type"),
            Some("text/html; charset=UTF-8")
        );
        assert_eq!(
            get(address, "/static/a%20b.json").await?.header("content-type"),
            Some("application/json")
        );
        let plain = get(address, "/static/empty").await?;
        assert_eq!((plain.status, plain.text()), (200, ""));
        assert_eq!(plain.header("content-type"), Some("application/octet-stream"));
        assert_eq!(get(address, "/static/big.bin").await?.body, vec![7; 300_000]);
        let head =
            talk(address, "HEAD /static/big.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
        assert!(head.contains("content-length: 300000\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        Ok(())
    });
}

#[test]
fn dot_in_a_path_is_the_same_directory() {
    let directory = Directory::new("dots");
    serve(&directory.app(), |address| async move {
        for path in ["/static/./a.txt", "/static/sub/./page.html", "/static/%2e/a.txt"] {
            assert_eq!(get(address, path).await?.status, 200, "{path}");
        }
        Ok(())
    });
}

#[test]
fn two_dots_within_the_directory_lead_up() {
    let directory = Directory::new("two-dots");
    serve(&directory.app(), |address| async move {
        for path in ["/static/sub/../a.txt", "/static/no/x/../../a.txt", "/static/sub/%2e%2e/./sub/../a.txt"]
        {
            assert_eq!(get(address, path).await?.text(), "0123456789", "{path}");
        }
        Ok(())
    });
}

#[test]
fn nothing_outside_of_the_directory_is_found() {
    let directory = Directory::new("outside");
    serve(&directory.app(), |address| async move {
        let paths = [
            "/static/../secret.txt",
            "/static/%2e%2e/secret.txt",
            "/static/..%2fsecret.txt",
            "/static/sub/../../secret.txt",
            "/static/sub/../../two-dots/a.txt",
            "/static/sub/../..",
            "/static/sub/..",
            "/static/sub/../",
            // By its name, it leads out before it leads in.
            "/static/../outside/a.txt",
            "/static//etc/passwd",
            "/static/%2Fetc%2Fpasswd",
            "/static/outside",
            "/static/up/secret.txt",
            "/static/loop",
            "/static/nothing",
            "/static/sub",
            "/static/sub/",
            "/static/a.txt/",
            "/static/a.txt/b",
            "/static/a%00b",
            "/static/..",
            "/static/.",
            "/static/",
        ];
        for path in paths {
            assert_eq!(get(address, path).await?.status, 404, "{path}");
        }
        assert_eq!(get(address, "/static/%ff").await?.status, 400);
        let long = format!("/static/{}", "a".repeat(5000));
        assert_eq!(get(address, &long).await?.status, 404);
        #[cfg(unix)]
        assert_eq!(get(address, "/static/inside").await?.text(), "0123456789");
        assert_eq!(
            ask(address, "POST /static/a.txt HTTP/1.1\r\nHost: a\r\n\r\n").await?.header("allow"),
            Some("GET, HEAD, OPTIONS")
        );
        Ok(())
    });
}

#[test]
fn ranges_are_parts() {
    let directory = Directory::new("ranges");
    serve(&directory.app(), |address| async move {
        let range = |range: &str| format!("GET /static/a.txt HTTP/1.1\r\nHost: a\r\nRange: {range}\r\n\r\n");
        for (asked, part, content_range) in [
            ("bytes=0-3", "0123", "bytes 0-3/10"),
            ("bytes=8-", "89", "bytes 8-9/10"),
            ("bytes=-3", "789", "bytes 7-9/10"),
            ("bytes=5-100", "56789", "bytes 5-9/10"),
            ("bytes=0-0", "0", "bytes 0-0/10"),
            ("bytes = 0 - 3 ", "0123", "bytes 0-3/10"),
            ("bytes=\t8-", "89", "bytes 8-9/10"),
            ("bytes= - 3", "789", "bytes 7-9/10"),
        ] {
            let answer = ask(address, &range(asked)).await?;
            assert_eq!(
                (answer.status, answer.text(), answer.header("content-range")),
                (206, part, Some(content_range))
            );
        }
        let beyond = ask(address, &range("bytes=10-")).await?;
        assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */10")));
        for whole in [
            "bytes=0-1,3-4",
            "bytes=0-1, 3-4",
            "bytes=5-2",
            "bytes=x",
            "bytes=0-1 3",
            "by tes=0-1",
            "lines=1-2",
        ] {
            assert_eq!(ask(address, &range(whole)).await?.status, 200, "{whole}");
        }
        let big =
            ask(address, "GET /static/big.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=100000-250000\r\n\r\n")
                .await?;
        assert_eq!((big.status, big.body.len()), (206, 150_001));
        Ok(())
    });
}

#[test]
fn conditions_are_looked_at() {
    let directory = Directory::new("conditions");
    serve(&directory.app(), |address| async move {
        let first = get(address, "/static/a.txt").await?;
        let (etag, date) = (first.header("etag").unwrap(), first.header("last-modified").unwrap());
        let with = |headers: &str| {
            format!("GET /static/a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n\r\n")
        };
        for (headers, status) in [
            (format!("If-None-Match: {etag}"), 304),
            (format!("If-None-Match: \"x\", W/{etag}"), 304),
            ("If-None-Match: *".to_owned(), 304),
            ("If-None-Match: \"x\"".to_owned(), 200),
            (format!("If-Modified-Since: {date}"), 304),
            ("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT".to_owned(), 200),
            ("If-Modified-Since: nonsense".to_owned(), 200),
            // The tag decides, not the date.
            (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}"), 200),
            ("If-Match: \"x\"".to_owned(), 412),
            (format!("If-Match: {etag}"), 200),
            ("If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT".to_owned(), 412),
            (format!("Range: bytes=0-1\r\nIf-Range: {etag}"), 206),
            (format!("Range: bytes=0-1\r\nIf-Range: {date}"), 206),
            ("Range: bytes=0-1\r\nIf-Range: \"x\"".to_owned(), 200),
            (format!("Range: bytes=0-1\r\nIf-None-Match: {etag}"), 304),
        ] {
            let answer = talk(address, with(&headers)).await?;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}: {answer}");
            assert!(answer.contains(&format!("etag: {etag}\r\n")), "{headers}: {answer}");
            assert_eq!(matches!(status, 304 | 412), answer.ends_with("\r\n\r\n"), "{headers}: {answer}");
        }
        Ok(())
    });
}
