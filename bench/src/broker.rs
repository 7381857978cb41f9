//! A broker under measurement: a process of its own, ended when dropped. Millrace is started as `npm start` does it,
//! Apache Kafka from its jars, as one KRaft node with 1 GiB of heap.

use std::io::{self, BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub struct Broker {
    child: Child,
    pub address: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Which broker is measured.
#[derive(Clone)]
pub enum Target {
    Millrace,
    /// The folder with the jars of `org.apache.kafka:kafka_2.13` and what it depends on.
    Kafka(PathBuf),
}

impl Broker {
    /// Starts a broker on a free port and waits until it accepts connections.
    pub fn start(target: &Target, data: &Path) -> io::Result<Self> {
        match target {
            Target::Millrace => Self::start_millrace(data),
            Target::Kafka(jars) => Self::start_kafka(jars, data),
        }
    }

    fn start_kafka(jars: &Path, data: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(data)?;
        let (port, controller) = (free_port()?, free_port()?);
        let properties = data.join("server.properties");
        std::fs::write(
            &properties,
            format!(
                "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
                 listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
                 controller.listener.names=CONTROLLER\nlog.dirs={}\noffsets.topic.replication.factor=1\n\
                 socket.receive.buffer.bytes=1048576\nsocket.send.buffer.bytes=1048576\n\
                 socket.request.max.bytes=104857600\n",
                data.join("logs").display()
            ),
        )?;
        let java = |main: &[&str]| {
            let mut command = Command::new("java");
            command.args(["-Xms1g", "-Xmx1g", "-cp"]).arg(jars.join("*")).args(main);
            command.arg(&properties).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
            command
        };
        let formatted =
            java(&["kafka.tools.StorageTool", "format", "-t", "bWlsbHJhY2UtYmVuY2gtMQ", "-c"]).status()?;
        if !formatted.success() {
            return Err(io::Error::other("Kafka's StorageTool failed"));
        }
        let mut broker =
            Self { child: java(&["kafka.Kafka"]).spawn()?, address: format!("127.0.0.1:{port}") };
        while TcpStream::connect(&broker.address).is_err() {
            if broker.child.try_wait()?.is_some() {
                return Err(io::Error::other("Apache Kafka left before it was ready"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(broker)
    }

    fn start_millrace(data: &Path) -> io::Result<Self> {
        let mut child = Command::new("node")
            .arg(root().join("dist/ts/cli/main.js"))
            .args(["start", "--listeners", "PLAINTEXT://127.0.0.1:0", "--log-dirs"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let stdout =
            child.stdout.take().ok_or_else(|| io::Error::other("the broker has no standard output"))?;
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            if let Some(rest) = line.split("ready on ").nth(1) {
                let endpoint = rest.split_whitespace().next().unwrap_or_default();
                let address = endpoint.rsplit("//").next().unwrap_or_default().to_string();
                thread::spawn(move || io::copy(&mut lines.by_ref(), &mut io::sink()));
                return Ok(Self { child, address });
            }
            line.clear();
        }
        Err(io::Error::other("the broker left before it was ready; is it built? (npm run build)"))
    }

    /// User and system time of the whole process so far, from /proc (10 ms ticks).
    pub fn cpu_seconds(&self) -> io::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let ticks = |field: usize| -> f64 {
            after_name.split(' ').nth(field).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0)
        };
        Ok((ticks(11) + ticks(12)) / rustix::param::clock_ticks_per_second() as f64)
    }

    /// What is resident of the process, without the page cache.
    pub fn resident_mib(&self) -> io::Result<f64> {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id()))?;
        let pages: f64 = statm.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0.0);
        Ok(pages * rustix::param::page_size() as f64 / f64::from(1 << 20))
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// How long a Node process takes that does nothing.
pub fn bare_node_milliseconds() -> io::Result<f64> {
    let started = Instant::now();
    Command::new("node").args(["-e", "0"]).status()?;
    Ok(started.elapsed().as_secs_f64() * 1e3)
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
