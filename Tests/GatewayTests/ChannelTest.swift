import NIOCore
import NIOEmbedded
import Session
import Testing

@testable import Gateway
@testable import Store

/// What a channel's delegate has heard.
final class Heard {
    var events: [String] = []
    var octets = ""
    var wantsOctets = true
}

/// A delegate that writes down what it hears.
final class Recorder<Login: ServerLogin>: UpstreamChannelDelegate {
    private let heard: Heard

    init(_ heard: Heard) {
        self.heard = heard
    }

    var wantsOctets: Bool { self.heard.wantsOctets }

    func channelReady(_ profile: Login.Profile, login: Login) { self.heard.events.append("ready") }

    func channelFailed(_ failure: UpstreamFailure<Login.Failure>) {
        switch failure {
        case .denied(let denial): self.heard.events.append("denied \(denial)")
        case .noCredential: self.heard.events.append("no credential")
        case .connection: self.heard.events.append(failure.isTLS ? "TLS" : "connection")
        case .closed: self.heard.events.append("closed")
        case .timedOut(let isHeard): self.heard.events.append(isHeard ? "slow" : "timed out")
        case .violation: self.heard.events.append("violation")
        case .login(let failure): self.heard.events.append("\(failure)")
        }
    }

    func channelReceived(_ octets: ByteBuffer) { self.heard.octets += String(buffer: octets) }
    func channelClosed() { self.heard.events.append("ended") }
    func channelBecameWritable() {}
}

/// A channel of one of the protocols, and the server that it is connected to.
struct ChannelTest {
    enum Side: CaseIterable {
        case mail
        case sending

        var service: CredentialService { self == .mail ? .imap : .submission }
    }

    let side: Side
    let upstream: TestUpstream
    let heard = Heard()
    let write: (String) -> Void
    let close: () -> Void
    let resumeReading: () -> Void
    let isSilent: () -> Bool
    /// Inactive where nobody connected.
    let server: EmbeddedChannel

    init(_ side: Side, tls: Endpoint.Security = .none, at upstream: TestUpstream? = nil) throws {
        let upstream = try upstream ?? TestUpstream(tls: tls)
        self.side = side
        self.upstream = upstream
        switch side {
        case .mail:
            let channel = UpstreamChannel(
                upstream.services.route(to: upstream.account, by: nil),
                delegate: Recorder(self.heard),
                on: upstream.loop
            ) { credential in
                UpstreamLogin(
                    security: tls == .starttls ? .startTLS : .established,
                    credential: credential,
                    known: nil,
                    tags: UpstreamTags(random: 7)
                )
            }
            (self.write, self.close, self.resumeReading, self.isSilent) = Self.handles(channel)
        case .sending:
            let endpoint = try #require(upstream.account.smtp)
            let channel = UpstreamChannel(
                upstream.services.sendingRoute(to: upstream.account, at: endpoint, by: nil),
                delegate: Recorder(self.heard),
                on: upstream.loop
            ) { credential in
                SubmissionLogin(
                    credential: credential,
                    startsTLS: tls == .starttls,
                    name: "gw.example"
                )
            }
            (self.write, self.close, self.resumeReading, self.isSilent) = Self.handles(channel)
        }
        upstream.loop.run()
        self.server = upstream.connector.channels.last ?? EmbeddedChannel(loop: upstream.loop)
    }

    private static func handles<Login: ServerLogin>(
        _ channel: UpstreamChannel<Login>
    ) -> ((String) -> Void, () -> Void, () -> Void, () -> Bool) {
        channel.open()
        let write: (String) -> Void = {
            channel.write(ByteBuffer(string: $0))
            channel.flush()
        }
        return (
            write, { channel.close() }, { channel.resumeReading() }, { channel.isSilent(.prompt) }
        )
    }

    // MARK: - The server

    var greeting: String {
        self.side == .mail ? "* OK hello\r\n" : "220 server.example ESMTP\r\n"
    }

    /// An honest server's answer to a line.
    func answer(to line: String, startsTLS: Bool = false) -> String {
        let words = line.replacing("\r\n", with: "").split(separator: " ").map(String.init)
        let tag = words.first ?? ""
        let verb = self.side == .mail ? words.dropFirst().first ?? "" : tag
        return switch (self.side, verb) {
        case (.mail, "CAPABILITY"):
            "* CAPABILITY IMAP4rev1 \(startsTLS ? "STARTTLS LOGINDISABLED" : "SASL-IR AUTH=PLAIN")"
                + "\r\n\(tag) OK done\r\n"
        case (.mail, "AUTHENTICATE"): "\(tag) OK [CAPABILITY IMAP4rev1] in\r\n"
        case (.mail, "LIST"): "* LIST (\\Noselect) \"/\" {0}\r\n\r\n\(tag) OK done\r\n"
        case (.mail, _): "\(tag) OK done\r\n"
        case (.sending, "EHLO"): "250-server\r\n250 \(startsTLS ? "STARTTLS" : "AUTH PLAIN")\r\n"
        case (.sending, "AUTH"): "235 2.7.0 in\r\n"
        case (.sending, _): "220 2.0.0 go\r\n"
        }
    }

    /// Everything that an honest server says until the login is over, answer by answer; and what it heard.
    func serve(_ say: (String) throws -> Void) throws -> String {
        var heard = ""
        try say(self.greeting)
        while case let lines = try self.server.heard(), !lines.isEmpty {
            heard += lines
            for line in lines.split(separator: "\r\n") { try say(self.answer(to: String(line))) }
        }
        return heard
    }

    /// Serves the login as an honest server.
    func logIn() throws {
        _ = try self.serve { try self.server.say($0) }
        #expect(self.heard.events == ["ready"])
    }
}

extension String {
    /// The octets before a cut.
    func octets(before cut: Int) -> String {
        String(decoding: self.utf8.prefix(cut), as: UTF8.self)
    }

    /// The octets behind a cut.
    func octets(from cut: Int) -> String {
        String(decoding: self.utf8.dropFirst(cut), as: UTF8.self)
    }
}
