import Access
import NIOCore
import SASL
import Session
import Testing

/// One scripted conversation with a submission session.
///
///     C: EHLO x          the client sends a line (`\r`, `\n` and `\0` are those octets)
///     C+ abc             the client sends octets
///     S: 250 2.0.0 Ok    the client gets a line
///     U> DATA            the server gets a line
///     U< 354 Go on       the server sends a line
///     A: send as …       the next audit record; without such a line the audit log is not checked
///     @name Anna A.      Anna's display name in the store
///     ! close            an event: close, fail, refused, timeout, unused, server, gone, closes N,
///                        grant ACCOUNT none|on-behalf|as, dropped, opened ACCOUNT, end, disk full|slow|alone|well,
///                        synced, names slow|well, named, disable (of Anna)
///     ! copy kept 12     the octets kept for Sent folders; or: filed 12, dropped, missing
///     @copies info 1000  messages that others send as this account are filed there; the octets that may wait;
///                        then `required` if such a message is not sent without its copy
struct SubmissionDialog {
    private struct Step {
        var number: Int
        var text: String
    }

    private static let names = ["anna": AccountID(1), "bob": 2, "info": 3, "clara": 4]

    private let name: String
    private var steps: [Step] = []
    private var rights: [String: SendRight] = [:]
    private var nameOfAnna: String?
    private var session: SubmissionSession
    private var fromClient = Arriving()
    private var toClient: [UInt8] = []
    private var toUpstream: [UInt8] = []
    private var opened: [AccountID] = []
    private var closes = 0
    private var isClosed = false
    private var audit: [String] = []
    private var isAuditRead = false
    private var copied: Set<String> = []
    private var requiring: Set<String> = []
    private var copyOctets = 0
    private var copyState = "none"
    private var disk = "well"
    private var syncs: [UInt64] = []
    /// Whether a copy for a Sent folder gets its final name at once.
    private var names = "well"
    private var unnamed: [UInt64] = []
    private var extensions = ["PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8", "DSN"]

    init(_ text: String, name: String) throws {
        self.name = name
        var space = SentCopySpace.Limits()
        for line in text.split(separator: "\n") where line.hasPrefix("@copies ") {
            let words = line.split(separator: " ").map(String.init)
            self.copied.insert(words[1])
            if words.last == "required" { self.requiring.insert(words[1]) }
            space.octetsPerAccount = UInt64(words[2]) ?? 0
        }
        self.session = SubmissionSession(
            settings: SubmissionSession.Settings(maximumMessageOctets: 10_000, name: "gw.example"),
            counter: SendingCounter(
                limits: SendingCounter.Limits(
                    recipientsPerMessage: 3,
                    messagesPerHour: 5,
                    recipientsPerHour: 10
                )
            ),
            copySpace: SentCopySpace(limits: space),
            snapshot: Self.snapshot([:], self.copied, self.requiring, nil),
            hasTLS: true,
            at: Fixture.now
        )
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        where !line.isEmpty && !line.hasPrefix("#") {
            if line.hasPrefix("@extensions") {
                self.extensions = line.split(separator: " ").dropFirst().map(String.init)
            } else if line.hasPrefix("@copies ") {
                continue
            } else if line.hasPrefix("@name ") {
                self.nameOfAnna = String(line.dropFirst("@name ".count))
            } else if line.hasPrefix("@") {
                try self.grant(line.dropFirst().split(separator: " ").map(String.init))
            } else {
                self.steps.append(Step(number: index + 1, text: String(line)))
            }
        }
    }

    private static func snapshot(
        _ rights: [String: SendRight],
        _ copied: Set<String>,
        _ requiring: Set<String>,
        _ nameOfAnna: String?
    ) -> Snapshot {
        var fixture = Fixture()
        fixture.copied = copied
        fixture.requiringCopies = requiring
        fixture.nameOfAnna = nameOfAnna
        fixture.grants = rights.enumerated().compactMap { index, entry in
            Grant(
                id: Int64(index) + 1,
                account: self.names[entry.key] ?? 99,
                subject: .user(fixture.anna),
                rights: .view,
                send: entry.value
            )
        }
        return fixture.snapshot
    }

    private mutating func grant(_ words: [String]) throws {
        let right: SendRight = words[2] == "as" ? .as : words[2] == "none" ? .none : .onBehalf
        self.rights[words[1]] = right
        self.session.snapshotChanged(
            Self.snapshot(self.rights, self.copied, self.requiring, self.nameOfAnna),
            at: Fixture.now
        )
    }

    mutating func run(chunk: Int) throws {
        try self.logIn()
        self.isAuditRead = self.steps.contains { $0.text.hasPrefix("A: ") }
        for step in self.steps { try self.run(step, chunk: chunk) }
        #expect(self.audit == [], "\(self.name): the audit log got more than was written")
        #expect(self.toClient.isEmpty, "\(self.name): the client got \(Self.shown(self.toClient))")
        #expect(
            self.toUpstream.isEmpty,
            "\(self.name): the server got \(Self.shown(self.toUpstream))"
        )
    }

    private mutating func logIn() throws {
        self.session.opened()
        self.client("EHLO x\r\nAUTH PLAIN AGFubmFAa2FuemxlaS5leGFtcGxlAHB3\r\n", 1_000)
        let fixture = Fixture()
        self.session.authenticationFinished(.accepted(fixture.anna, account: nil, profiles: [:]))
        self.perform()
        #expect(Self.shown(self.toClient).hasSuffix("235 2.7.0 Logged in\r\n"), "\(self.name)")
        self.toClient = []
    }

    private mutating func run(_ step: Step, chunk: Int) throws {
        let place = "\(self.name):\(step.number)"
        let text = step.text.replacing("\\r", with: "\r").replacing("\\n", with: "\n")
            .replacing("\\0", with: "\0")
        if text.hasPrefix("C: ") || text == "C:" {
            self.client(text.dropFirst(3) + "\r\n", chunk)
        } else if text.hasPrefix("C+ ") {
            self.client(text.dropFirst(3), chunk)
        } else if text.hasPrefix("S: ") {
            #expect(Self.takeLine(&self.toClient) == text.dropFirst(3), "\(place)")
        } else if text.hasPrefix("A: ") {
            let record = self.audit.isEmpty ? "(nothing)" : self.audit.removeFirst()
            #expect(record == text.dropFirst(3), "\(place)")
        } else if text.hasPrefix("U>") {
            #expect(Self.takeLine(&self.toUpstream) == text.dropFirst(3), "\(place)")
        } else if text.hasPrefix("U< ") {
            self.upstream(text.dropFirst(3) + "\r\n", chunk)
        } else if text.hasPrefix("! ") {
            try self.event(text.dropFirst(2).split(separator: " ").map(String.init), place)
        } else {
            Issue.record("\(place): cannot be read: \(text)")
        }
    }

    private mutating func event(_ words: [String], _ place: String) throws {
        switch words.first {
        case "grant": try self.grant(words)
        case "disable":
            var fixture = Fixture()
            fixture.isAnnaDisabled = true
            self.session.snapshotChanged(fixture.snapshot, at: Fixture.now)
        case "close": self.session.upstreamClosed()
        case "fail": self.session.upstreamFailed(.unreachable)
        case "refused": self.session.upstreamFailed(.noServer)
        case "gone": self.session.clientClosed()
        case "closes": #expect(self.closes == Int(words[1]), "\(place)")
        case "timeout": self.session.upstreamTimeoutPassed()
        case "unused": self.session.upstreamUnused()
        case "server": self.session.serverChanged()
        case "dropped":
            #expect(self.closes == 1, "\(place): the server's connection is not closed")
            self.closes = 0
        case "opened":
            #expect(self.opened == [Self.names[words[1]] ?? 99], "\(place)")
            self.opened = []
            self.connect()
        case "disk": self.disk = words[1]
        case "synced":
            for number in self.syncs {
                self.session.copyKept(number, succeeded: true, at: Fixture.now)
            }
            self.syncs = []
        case "names": self.names = words[1]
        case "named":
            for number in self.unnamed { self.session.copyFiled(number, at: Fixture.now) }
            self.unnamed = []
        case "copy":
            // The octets kept before the drop depend on where the input is split.
            let state =
                ["dropped", "missing"].contains(self.copyState)
                ? self.copyState : "\(self.copyState) \(self.copyOctets)"
            #expect(state == words.dropFirst().joined(separator: " "), "\(place)")
        case "end":
            #expect(self.isClosed, "\(place): the client's connection is not closed")
        default:
            Issue.record("\(place): cannot be read")
        }
        self.perform()
    }

    /// Plays the server until the login is complete.
    private mutating func connect() {
        let hello = (["server.example"] + self.extensions + ["AUTH PLAIN"])
        let lines = hello.enumerated().map { index, line in
            "250\(index == hello.count - 1 ? " " : "-")\(line)\r\n"
        }
        let replies = ["220 server.example ESMTP\r\n", lines.joined(), "235 Ok\r\n"]
        let (sent, profile) = SubmissionLogin.run(against: replies)
        #expect(sent == "EHLO gw.example\r\nAUTH PLAIN AHUAcA==\r\n", "\(self.name)")
        if let profile { self.session.upstreamReady(profile) }
        self.perform()
    }

    // MARK: - Octets

    private mutating func client(_ text: some StringProtocol, _ chunk: Int) {
        self.fromClient.append(Array(text.utf8), chunk: chunk)
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

    private mutating func upstream(_ text: some StringProtocol, _ chunk: Int) {
        for piece in Self.pieces(text, chunk) {
            self.session.upstreamOctetsReceived(piece, at: Fixture.now)
            self.perform()
        }
    }

    private static func pieces(_ text: some StringProtocol, _ chunk: Int) -> [ByteBuffer] {
        var octets = Array(text.utf8)[...]
        var pieces: [ByteBuffer] = []
        while !octets.isEmpty {
            pieces.append(ByteBuffer(bytes: octets.prefix(chunk)))
            octets = octets.dropFirst(chunk)
        }
        return pieces
    }

    private mutating func perform() {
        var actions: [SubmissionAction] = []
        self.session.takeActions(into: &actions)
        while !actions.isEmpty {
            self.perform(actions)
            self.session.takeActions(into: &actions)
        }
        self.readClient()
    }

    private mutating func perform(_ actions: [SubmissionAction]) {
        for action in actions {
            switch action {
            case .toClient(let octets): self.toClient += octets.readableBytesView
            case .toUpstream(let octets): self.toUpstream += octets.readableBytesView
            case .openUpstream(let account): self.opened.append(account)
            case .closeUpstream:
                self.closes += 1
                // The server discards an incomplete line.
                let end = self.toUpstream.lastIndex(of: 10).map { $0 + 1 } ?? 0
                self.toUpstream.removeSubrange(end...)
            case .audit(let event):
                if self.isAuditRead { self.audit.append(Fixture().text(of: event)) }
            case .closeClient: self.isClosed = true
            case .keepCopy(let octets):
                self.copyOctets =
                    octets.readableBytes + (self.copyState == "kept" ? self.copyOctets : 0)
                self.copyState = "kept"
            case .syncCopy(let number, _, _, _):
                guard self.disk != "slow" else {
                    self.syncs.append(number)
                    break
                }
                self.session.copyKept(
                    number,
                    succeeded: self.disk == "well" || self.disk == "alone",
                    isShared: self.disk == "well",
                    at: Fixture.now
                )
            case .fileCopy(let number):
                self.copyState = "filed"
                guard self.names == "well" else {
                    self.unnamed.append(number)
                    break
                }
                self.session.copyFiled(number, at: Fixture.now)
            case .dropCopy: self.copyState = "dropped"
            case .copyMissing: self.copyState = "missing"
            case .readLater: self.session.resumeReading(at: Fixture.now)
            case .authenticate, .startTLS: break
            }
        }
    }

    private static func shown(_ octets: [UInt8]) -> String {
        String(decoding: octets, as: UTF8.self)
    }

    private static func takeLine(_ octets: inout [UInt8]) -> String {
        guard let end = octets.firstIndex(of: 10) else {
            defer { octets = [] }
            return octets.isEmpty ? "(nothing)" : self.shown(octets)
        }
        let line = octets[..<end]
        octets.removeSubrange(...end)
        return self.shown(Array(line.last == 13 ? line.dropLast() : line))
    }
}
