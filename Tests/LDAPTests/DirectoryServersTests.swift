import Testing

@testable import LDAP

/// Servers and the order of the attempts.
struct DirectoryServersTests {
    private static func server(_ host: String, port: Int = 636) -> DirectoryServer {
        DirectoryServer(host: host, port: port, security: .ldaps)
    }

    @Test(
        arguments: [
            ("dc1.kanzlei.example", 636, "ldaps://dc1.kanzlei.example:636"),
            ("192.0.2.1", 1, "ldaps://192.0.2.1:1"),
            ("2001:db8::1", 636, "ldaps://[2001:db8::1]:636"),
            ("", 636, nil), ("a", 0, nil), ("a", 65_536, nil), ("a/b", 636, nil), ("a b", 636, nil),
            ("a?b", 636, nil), ("a%00", 636, nil), ("user@a", 636, nil), ("a\u{0}", 636, nil),
            ("[::1]", 636, nil), ("ä", 636, nil), ("a,b", 636, nil),
        ] as [(String, Int, String?)]
    )
    func `a URL names a host and a port only`(host: String, port: Int, url: String?) {
        #expect(Self.server(host, port: port).url == url)
        let other = DirectoryServer(host: host, port: port, security: .startTLS)
        #expect(other.url == url)
    }

    /// The attempts, and the outcome, with servers that answer like this.
    private static func attempts(
        _ answers: [DirectoryError?],
        seconds: Int = 60
    ) -> (hosts: [String], error: DirectoryError?) {
        var hosts: [String] = []
        let servers = answers.indices.map { Self.server("s\($0)") }
        do throws(DirectoryError) {
            let deadline = Deadline(seconds: seconds)
            try DirectoryServers.first(of: servers, until: deadline) {
                server throws(DirectoryError) in
                hosts.append(server.host)
                if let error = answers[hosts.count - 1] { throw error }
            }
            return (hosts, nil)
        } catch {
            return (hosts, error)
        }
    }

    @Test func `the next server is asked if one is unavailable`() {
        let outcome = Self.attempts([.unavailable("a"), nil, nil])
        #expect(outcome.hosts == ["s0", "s1"])
        #expect(outcome.error == nil)
    }

    @Test(arguments: [.refused("x"), .failed("x"), .tooManyEntries(1)] as [DirectoryError])
    func `an answer ends the attempts`(error: DirectoryError) {
        let outcome = Self.attempts([.unavailable("a"), error, nil])
        #expect(outcome.hosts == ["s0", "s1"])
        #expect(outcome.error == error)
    }

    @Test func `without an available server, all reasons are reported`() {
        let outcome = Self.attempts([.unavailable("a"), .unavailable("b")])
        #expect(outcome.error == .unavailable("a; b"))
        #expect(Self.attempts([]).error == .unavailable("no server is configured"))
    }

    @Test func `a server that did not answer is asked last for a minute`() {
        let servers = ["a", "b", "c"].map { Self.server($0) }
        let (silent, now) = (SilentServers(), ContinuousClock.now)
        func hosts(_ seconds: Int) -> [String] {
            silent.ordered(servers, at: now + .seconds(seconds)).map(\.host)
        }
        #expect(hosts(0) == ["a", "b", "c"])
        silent.record(servers[0], answered: false, at: now)
        #expect(hosts(59) == ["b", "c", "a"] && hosts(60) == ["a", "b", "c"])
        silent.record(servers[1], answered: false, at: now + .seconds(30))
        #expect(hosts(59) == ["c", "a", "b"] && hosts(61) == ["a", "c", "b"])
        // All are asked, also if none answered; and one that answers has its place again.
        silent.record(servers[2], answered: false, at: now + .seconds(30))
        #expect(hosts(59) == ["a", "b", "c"])
        silent.record(servers[1], answered: true, at: now + .seconds(30))
        #expect(hosts(59) == ["b", "a", "c"])
    }

    @Test func `no attempt starts after the deadline`() {
        let outcome = Self.attempts([nil], seconds: 0)
        #expect(outcome.hosts.isEmpty)
        #expect(outcome.error == .unavailable("no time is left for s0:636"))
    }
}
