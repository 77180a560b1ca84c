import Access
import Foundation
import NIOCore
import SASL
import SMTP
import Session

/// A submission session under attack. Its server accepts everything and parses as tolerantly as possible.
struct SubmissionBench {
    private let fixture = Fixture()
    private var session: SubmissionSession
    /// The login at the server; nil after its end.
    private var login: LoginDriver<SubmissionLogin>?
    private var fromClient = Arriving()
    private(set) var toClient: [UInt8] = []
    private(set) var isClosed = false
    /// The reverse-paths of MAIL, in order.
    private(set) var senders: [String] = []
    /// Messages whose end was sent, with dot-stuffing removed.
    private(set) var messages: [[UInt8]] = []
    private(set) var breaches: [String] = []
    /// How many times a credential was sent.
    private(set) var credentials = 0
    /// The server's false replies by step: `greeting`, `tls`, `body`, `end`, or a verb. With `!` after the step it then
    /// closes the connection. `body` is sent once, when the message begins.
    var lies: [String: [UInt8]] = [:]
    /// The number of octets that arrive at once of a false reply.
    var lieChunk = Int.max
    private let startsTLS: Bool
    private var hasUpstreamTLS: Bool
    private var isConnected = false
    /// Octets of the server that have not arrived yet.
    private var said: [[UInt8]] = []
    private var isPerforming = false
    private var line: [UInt8] = []
    private var message: [UInt8]?
    private var isLoggingIn = true

    /// - Parameter startsTLS: whether the server uses STARTTLS.
    init(isLoggedIn: Bool = true, startsTLS: Bool = false) {
        self.startsTLS = startsTLS
        self.hasUpstreamTLS = !startsTLS
        var fixture = Fixture()
        for (index, grant) in [("bob", SendRight.onBehalf), ("info", .as)].enumerated() {
            fixture.grants.append(
                Grant(
                    id: Int64(index) + 1,
                    account: fixture.account(grant.0),
                    subject: .user(fixture.anna),
                    rights: [],
                    send: grant.1,
                    scope: .account,
                    source: .local
                )
            )
        }
        self.session = SubmissionSession(
            settings: SubmissionSession.Settings(maximumMessageOctets: 100_000, name: "gw.example"),
            counter: SendingCounter(
                limits: SendingCounter.Limits(
                    recipientsPerMessage: 100,
                    messagesPerHour: 100,
                    recipientsPerHour: 100
                )
            ),
            snapshot: fixture.snapshot,
            hasTLS: true,
            at: Fixture.now
        )
        self.session.opened()
        self.send(Array("EHLO x\r\n".utf8), chunk: .max)
        if isLoggedIn {
            self.send(Array("AUTH PLAIN AGFubmFAa2FuemxlaS5leGFtcGxlAHB3\r\n".utf8), chunk: .max)
        }
        self.toClient = []
    }

    var codes: [String] {
        String(decoding: self.toClient, as: UTF8.self).components(separatedBy: "\r\n")
            .filter { $0.count > 3 && $0.dropFirst(3).first == " " }.map { String($0.prefix(3)) }
    }

    mutating func send(_ octets: [UInt8], chunk: Int) {
        self.fromClient.append(octets, chunk: chunk)
        self.readClient()
    }

    /// Delivers the client's octets as long as the session reads them.
    private mutating func readClient() {
        guard self.fromClient.begin() else { return }
        while self.session.wantsClientOctets, let piece = self.fromClient.next() {
            self.session.clientOctetsReceived(piece, at: Fixture.now)
            self.perform()
        }
        self.fromClient.end()
    }

    /// The timeout for the server's reply passes.
    mutating func waitForServer() {
        self.session.upstreamTimeoutPassed()
        self.perform()
    }

    mutating func leave() {
        self.session.clientClosed()
        self.perform()
    }

    // MARK: - Effects

    /// Performs the session's actions in order, and delivers the server's replies between them, as the gateway does.
    private mutating func perform() {
        guard !self.isPerforming else { return }
        self.isPerforming = true
        repeat {
            var actions: [SubmissionAction] = []
            self.session.takeActions(into: &actions)
            while !actions.isEmpty {
                for action in actions { self.perform(action) }
                self.session.takeActions(into: &actions)
            }
        } while self.deliverReply()
        self.isPerforming = false
        self.readClient()
    }

    private mutating func perform(_ action: SubmissionAction) {
        switch action {
        case .toClient(let octets):
            self.toClient += octets.readableBytesView
        case .toUpstream(let octets):
            guard self.isConnected else { break }
            for octet in octets.readableBytesView { self.serverGot(octet) }
        case .openUpstream(let account):
            if account == self.fixture.account("clara") {
                self.breaches.append("the server of clara was connected")
            }
            self.line = []
            self.message = nil
            self.isConnected = true
            self.said = []
            self.hasUpstreamTLS = !self.startsTLS
            self.login = LoginDriver(.scripted(startsTLS: self.startsTLS))
            self.reply("greeting", "220 server ESMTP")
        case .closeUpstream:
            // An incomplete message is discarded.
            self.login = nil
            self.isConnected = false
            self.line = []
            self.message = nil
        case .closeClient:
            self.isClosed = true
        case .authenticate(let credentials):
            let isAnna = credentials.login == Array("anna@kanzlei.example".utf8)
            let isRight = isAnna && credentials.proof.secret.value == Array("pw".utf8)
            self.session.authenticationFinished(
                isRight ? .accepted(self.fixture.anna, account: nil, profiles: [:]) : .refused
            )
        case .syncCopy(let number, _, _, _):
            self.session.copyKept(number, succeeded: true, at: Fixture.now)
        case .fileCopy(let number):
            self.session.copyFiled(number, at: Fixture.now)
        case .readLater:
            self.session.resumeReading(at: Fixture.now)
        case .startTLS, .keepCopy, .dropCopy, .copyMissing, .audit:
            break
        }
    }

    private mutating func perform(_ action: SubmissionLogin.Step) {
        switch action {
        case .send(let octets):
            for octet in octets.readableBytesView { self.serverGot(octet) }
        case .startTLS:
            self.hasUpstreamTLS = true
            // Octets that were sent before the handshake are not part of it.
            if !self.said.isEmpty { self.said.insert([], at: 0) }
            if self.lies["tls!"] != nil { self.said = [[]] }
            guard self.said.isEmpty else { break }
            for action in self.login?.tlsEstablished() ?? [] { self.perform(action) }
        case .ready(let profile):
            self.login = nil
            self.session.upstreamReady(profile)
        case .fail(let fault):
            self.login = nil
            self.session.upstreamFailed(fault)
        }
    }

    // MARK: - The server

    /// Delivers the server's octets to the login, and after its end to the session.
    private mutating func serverSaid(_ octets: ByteBuffer) {
        guard self.login != nil else {
            return self.session.upstreamOctetsReceived(octets, at: Fixture.now)
        }
        do {
            try self.login?.receive(octets)
            while let actions = try self.login?.next() {
                for action in actions { self.perform(action) }
            }
        } catch {
            self.login = nil
            self.session.upstreamClosed()
        }
    }

    /// Queues the server's reply at a step, after its earlier replies.
    private mutating func reply(_ step: String, _ text: String) {
        guard self.isConnected else { return }
        if let lie = self.lies[step] ?? self.lies[step + "!"] {
            var rest = lie[...]
            while !rest.isEmpty {
                self.said.append(Array(rest.prefix(self.lieChunk)))
                rest = rest.dropFirst(self.lieChunk)
            }
        } else {
            self.said.append(Array("\(text)\r\n".utf8))
        }
        // An empty piece ends the connection.
        if self.lies[step + "!"] != nil { self.said.append([]) }
    }

    /// - Returns: false if the server has nothing to say.
    private mutating func deliverReply() -> Bool {
        guard !self.said.isEmpty, self.isConnected else { return false }
        let piece = self.said.removeFirst()
        if piece.isEmpty {
            self.isConnected = false
            self.login = nil
            self.session.upstreamClosed()
        } else {
            self.serverSaid(ByteBuffer(bytes: piece))
        }
        return true
    }

    private mutating func serverGot(_ octet: UInt8) {
        self.line.append(octet)
        guard octet == 10 else { return }
        var line = self.line
        self.line = []
        guard line.count >= 2, line[line.count - 2] == 13,
            !line.dropLast(2).contains(where: { $0 == 13 || $0 == 10 || $0 == 0 })
        else {
            self.breaches.append("the server got a line with bare CR, LF or NUL")
            return
        }
        if self.message != nil {
            guard line != Array(".\r\n".utf8) else {
                self.messages.append(self.message ?? [])
                self.message = nil
                return self.reply("end", "250 2.0.0 Taken")
            }
            if line.first == UInt8(ascii: ".") { line.removeFirst() }
            if self.message?.isEmpty == true, self.lies["body"] ?? self.lies["body!"] != nil {
                self.reply("body", "")
            }
            self.message? += line
            return
        }
        self.serve(String(decoding: line.dropLast(2), as: UTF8.self))
    }

    private mutating func serve(_ line: String) {
        let verb = String(line.prefix { $0 != " " && $0 != ":" })
        switch verb {
        case "EHLO":
            let tls = self.hasUpstreamTLS ? "" : "250-STARTTLS\r\n"
            self.reply(
                verb,
                "250-server\r\n250-PIPELINING\r\n250-8BITMIME\r\n\(tls)250-SIZE 100000\r\n250 AUTH PLAIN"
            )
        case "STARTTLS":
            self.reply(verb, "220 2.0.0 Begin")
        case "AUTH":
            self.credentials += 1
            if !self.hasUpstreamTLS { self.breaches.append("a credential was sent before TLS") }
            self.reply(verb, "235 2.7.0 Ok")
        case "MAIL":
            self.senders.append(String(line.dropFirst("MAIL FROM:".count)))
            self.reply(verb, "250 2.1.0 Ok")
        case "RCPT", "RSET":
            self.reply(verb, "250 2.1.5 Ok")
        case "DATA":
            // A server that refuses DATA reads commands.
            let reply = self.lies[verb] ?? self.lies["\(verb)!"] ?? Array("354".utf8)
            if reply.starts(with: Array("354".utf8)) { self.message = [] }
            self.reply(verb, "354 Go on")
        default:
            self.breaches.append("the server got \(line)")
            self.reply(verb, "500 5.5.2 What?")
        }
    }
}
