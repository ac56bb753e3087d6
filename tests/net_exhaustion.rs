//! A listener when the process has no descriptor left. A file of its own: the limit is that of the process.

#![cfg(all(target_os = "linux", feature = "net"))]

use std::os::fd::AsRawFd;
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use squall::net::TcpListener;
use squall::{sleep, IoLoop};

static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOGGED.lock().unwrap().push(format!("{}: {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

#[test]
fn listener_without_descriptors_backs_off_logs_once_and_goes_on() {
    log::set_logger(&Logger).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let run = IoLoop::current().run_sync(|| async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let clients: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        let before = getrlimit(Resource::Nofile);
        let lowest_free = u64::try_from(std::fs::File::open("/dev/null")?.as_raw_fd())?;
        setrlimit(Resource::Nofile, Rlimit { current: Some(lowest_free), maximum: before.maximum })?;
        let accept = listener.accept();
        // Three attempts fail meanwhile.
        sleep(Duration::from_millis(250)).await?;
        assert!(!accept.done());
        assert_eq!(LOGGED.lock().unwrap().len(), 1, "{LOGGED:?}");
        setrlimit(Resource::Nofile, before)?;
        assert_eq!(accept.await?.1, clients[0].local_addr()?);
        for client in &clients[1..] {
            assert_eq!(listener.accept().await?.1, client.local_addr()?);
        }
        let logged = LOGGED.lock().unwrap();
        assert!(logged[0]
            .starts_with(&format!("squall::net: the TcpListener {address} accepts no connection until")));
        assert_eq!(logged.len(), 1);
        Ok::<_, squall::Exception>(())
    });
    run.unwrap();
}
