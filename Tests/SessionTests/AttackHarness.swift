import Access
import Foundation
import IMAP
import NIOCore
import SASL
import Session
import Support
import Testing

/// A session under attack. Its servers record every octet and answer everything that a real server
/// could, including data that the client must not get. So a leak is visible to the test.
struct AttackHarness {
    /// The text of every mailbox that Anna may not read.
    static let canary = "CANARY"

    /// The gateway's command before it opens a folder of another user's account. It contains no
    /// octet of the client.
    static let ownList = #"LIST "" "*""#

    /// A command that a server received, as an independent strict parser reads it.
    struct Received {
        var account: String
        var tag: String
        var line: String
    }

    /// Folders besides those of every server.
    private static let openFolders = [
        "Drop", "Caf&AOk-", "Team", "Verwaltet", "Projects.x", "Projects.Alt", "Projects.&dg12Cg-",
        "Privat", "Fremd", "ProjectsSecret",
    ]

    private var fixture = Fixture()
    private var session: ClientSession
    private var fromClient = Arriving()
    private(set) var toClient: [UInt8] = []
    private(set) var received: [Received] = []
    private var readers: [String: StrictReader] = [:]
    private var selected: [String: String] = [:]
    /// What servers answer to the next commands in place of the correct answer; `\T` stands for the
    /// tag.
    private var lies: ArraySlice<[UInt8]> = []
    var lieChunk = 1 << 30
    /// The user's subscription choices.
    var subscriptions: Set<Subscription> = []
    /// Octets that servers have sent and the session has not received.
    private var said: [(server: String, octets: ByteBuffer)] = []
    private var isPerforming = false
    private(set) var dropped: Set<String> = []
    private(set) var isClosed = false
    /// Violations of rules that hold for every attack.
    private(set) var breaches: [String] = []
    /// How long the session blocks the event loop for each event.
    private(set) var meter = StallMeter()

    /// - Parameter more: lines that configure the fixture.
    init(state: String, with more: [String] = []) throws {
        for grant in [
            "grant bob folder:INBOX lr", "grant bob subtree:Projects lrswipkxte",
            "grant bob folder:Drop li", "grant bob folder:Caf\u{E9} lr", "grant info account lr",
        ] + more { try self.fixture.configure(grant) }
        self.session = ClientSession(
            snapshot: self.fixture.snapshot,
            hasTLS: state != "plain",
            subscribesShared: self.fixture.subscribesShared,
            at: Fixture.now
        )
        self.session.opened()
        self.perform()
        self.toClient = []
        guard !["plain", "before-login"].contains(state) else { return }
        self.send(Array("l LOGIN anna@kanzlei.example pw\r\n".utf8), chunk: .max)
        if state == "own" { self.send(Array("s SELECT INBOX\r\n".utf8), chunk: .max) }
        if state == "shared" {
            let select = "s SELECT \"Other Users/bob@kanzlei.example/INBOX\"\r\n"
            self.send(Array(select.utf8), chunk: .max)
        }
        self.toClient = []
        self.received = []
    }

    /// The commands that servers received, except the gateway's own LIST.
    var receivedForClient: [String] { self.received.map(\.line).filter { $0 != Self.ownList } }

    var clientText: String { String(decoding: self.toClient, as: UTF8.self) }

    mutating func send(_ octets: [UInt8], chunk: Int) {
        self.fromClient.append(octets, chunk: chunk)
        self.readClient()
    }

    /// Hands over what the client sent while the session accepts octets.
    private mutating func readClient() {
        guard self.fromClient.begin() else { return }
        while self.session.wantsClientOctets, let piece = self.fromClient.next() {
            let start = StallMeter.now
            self.session.clientOctetsReceived(piece, at: Fixture.now)
            self.meter.add(since: start)
            self.perform()
        }
        self.fromClient.end()
    }

    /// - Parameter lies: what servers answer to the next commands, in this order; `\\T` stands for
    ///   the tag.
    mutating func answerNext(with lies: [UInt8]...) {
        self.lies = lies[...]
    }

    /// The lines that a client reads, without the contents of literals.
    var clientLines: [String] { self.readAsClient().lines }

    /// - Returns: the lines, and whether one of them ended without CR.
    private func readAsClient() -> (lines: [String], hasBareLF: Bool) {
        var lines: [String] = []
        var hasBareLF = false
        var rest = self.toClient[...]
        var whole = ""
        while let end = rest.firstIndex(of: 10) {
            let line = String(decoding: rest[..<end], as: UTF8.self)
            hasBareLF = hasBareLF || rest[..<end].last != 13
            rest = rest[(end + 1)...]
            whole += line.hasSuffix("\r") ? String(line.dropLast()) : line
            if whole.hasPrefix("* "), whole.hasSuffix("}"), let open = whole.lastIndex(of: "{"),
                let count = Int(whole[whole.index(after: open)...].dropLast())
            {
                rest = rest.dropFirst(count)
                continue
            }
            lines.append(whole)
            whole = ""
        }
        return (lines, hasBareLF)
    }

    mutating func leave() {
        self.session.clientClosed()
        self.perform()
    }

    /// The tagged answer with a tag; nil if there is none.
    func answer(_ tag: String) -> String? {
        self.clientText.components(separatedBy: "\r\n").last { $0.hasPrefix(tag + " ") }
            .map { String($0.dropFirst(tag.count + 1)) }
    }

    // MARK: - Rules for every attack

    mutating func check() {
        if self.clientText.contains(Self.canary) { self.breach("a canary reached the client") }
        for reader in self.readers.values where !reader.isBetweenCommands {
            // Only a message may be incomplete.
            if !reader.isInMessage { self.breach("a server was left in the middle of a command") }
        }
        if !self.isClosed, !self.fromClient.isEmpty {
            self.breach("the session does not read what the client sent")
        }
        if self.readAsClient().hasBareLF { self.breach("a bare LF to the client") }
        if self.meter.isOverLimit {
            self.breach("the loop was held for \(self.meter.longest) ms")
        }
    }

    private mutating func breach(_ text: String) {
        self.breaches.append(text)
    }

    // MARK: - Effects

    private mutating func perform() {
        guard !self.isPerforming else { return }
        self.isPerforming = true
        self.performAll()
        self.isPerforming = false
        self.readClient()
    }

    private mutating func performAll() {
        var actions: [Action] = []
        while true {
            self.session.takeActions(into: &actions)
            for action in actions { self.perform(action) }
            guard actions.isEmpty else { continue }
            guard !self.said.isEmpty else { return }
            let (name, octets) = self.said.removeFirst()
            guard self.readers[name] != nil else { continue }
            let start = StallMeter.now
            self.session.upstreamOctetsReceived(
                self.fixture.account(name),
                octets: octets,
                at: Fixture.now
            )
            self.meter.add(since: start)
        }
    }

    private mutating func perform(_ action: Action) {
        switch action {
        case .toClient(let octets):
            self.toClient += octets.readableBytesView
        case .toUpstream(let account, let octets):
            self.upstream(self.fixture.name(of: account), octets)
        case .openUpstream(let account):
            let name = self.fixture.name(of: account)
            self.readers[name] = StrictReader()
            if !["anna", "bob", "info"].contains(name) {
                self.breach("the server of \(name) was connected")
            }
            if let profile = self.fixture.profiles[account] ?? nil {
                self.session.upstreamReady(account, profile: profile, tags: UpstreamTags(random: 7))
            }
        case .closeUpstream(let account):
            self.dropped.insert(self.fixture.name(of: account))
            self.readers[self.fixture.name(of: account)] = nil
        case .leaveUpstream(let account, _):
            self.readers[self.fixture.name(of: account)] = nil
        case .authenticate(let credentials):
            let isAnna = credentials.login == Array("anna@kanzlei.example".utf8)
            let isRight = isAnna && credentials.proof.secret.value == Array("pw".utf8)
            let account = credentials.account.flatMap(Address.init)
                .flatMap { self.fixture.snapshot.account(address: $0) }
            guard isRight, credentials.account == nil || account != nil else {
                return self.session.authenticationFinished(.refused)
            }
            self.session.authenticationFinished(
                .accepted(
                    self.fixture.anna,
                    account: account?.id,
                    profiles: self.fixture.profiles
                )
            )
        case .lookUpFolders:
            self.session.foldersLookedUp([:])
        case .loadSubscriptions:
            // In the gateway, this is built off the event loop.
            let choices = SubscriptionChoices(self.subscriptions)
            let start = StallMeter.now
            self.session.subscriptionsLoaded(choices)
            self.meter.add(since: start)
        case .changeSubscription:
            self.session.subscriptionChanged(.changed)
        case .journal(let request):
            self.journal(request)
        case .changeACL(let change):
            if self.fixture.name(of: change.account) != "anna" {
                self.breach("permissions of somebody else's account were to be changed")
            }
            self.session.aclChanged(.done)
        case .readLater:
            let start = StallMeter.now
            self.session.resumeReading(at: Fixture.now)
            self.meter.add(since: start)
        case .closeClient:
            self.isClosed = true
        case .startTLS, .pauseUpstream, .upstreamFailed, .lineUnreadable, .serverRefused,
            .forgetProfile, .audit, .reportLater, .pollLater, .revokeLater, .keepFolders,
            .refreshFolders, .foldersChanged, .limitWaiting, .serverStalled:
            break
        }
    }

    private mutating func journal(_ request: JournalRequest) {
        switch request {
        case .record: self.session.journalAnswered(.recorded(1))
        case .append: self.session.journalAnswered(.appending(true))
        case .confirm: self.session.journalAnswered(.confirmed(true))
        case .forget: self.session.journalAnswered(.forgotten(true))
        case .resolve: self.session.journalAnswered(.resolved(.undone))
        }
    }

    // MARK: - The servers

    private mutating func upstream(_ name: String, _ octets: ByteBuffer) {
        for event in self.readers[name]?.receive(octets.readableBytesView) ?? [] {
            switch event {
            case .broken(let why):
                self.breach("the server of \(name) got \(why)")
            case .literal:
                self.answer(name, "+ go on")
            case .command(let tag, let line):
                self.received.append(Received(account: name, tag: tag, line: line))
                self.serve(name, tag, line)
            }
        }
    }

    private mutating func answer(_ name: String, _ lines: String...) {
        self.said.append((name, ByteBuffer(string: lines.map { $0 + "\r\n" }.joined())))
    }

    /// Answers as a server that has every folder answers its owner.
    private mutating func serve(_ name: String, _ tag: String, _ line: String) {
        let words = line.split(separator: " ").map(String.init)
        // The mailbox counts as selected even if the answer is a lie.
        if ["SELECT", "EXAMINE"].contains(words.first) {
            self.selected[name] = words.dropFirst().first
        }
        if line != Self.ownList, let lie = self.lies.popFirst() {
            let marker = Array("\\T".utf8)
            var octets: [UInt8] = []
            var rest = lie[...]
            while let found = Array(rest).firstRange(of: marker) {
                octets += Array(rest.prefix(found.lowerBound)) + Array(tag.utf8)
                rest = rest.dropFirst(found.upperBound)
            }
            octets += rest
            for piece in stride(from: 0, to: octets.count, by: self.lieChunk) {
                let octets = octets[piece..<min(piece + self.lieChunk, octets.count)]
                self.said.append((name, ByteBuffer(bytes: octets)))
            }
            return
        }
        let verb = words.first == "UID" ? words.dropFirst().first ?? "" : words.first ?? ""
        switch verb {
        case "SELECT", "EXAMINE":
            self.answer(
                name,
                "* FLAGS (\\Seen \\Deleted \\Flagged)",
                "* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] x",
                "* 3 EXISTS",
                "* OK [UIDVALIDITY 7] x",
                "* OK [UIDNEXT 9] x",
                "\(tag) OK [READ-WRITE] x"
            )
        case "FETCH":
            let isOpen =
                name != "bob"
                || ["INBOX", "Projects", "Caf&AOk-"].contains(self.selected[name] ?? "")
            let text = isOpen ? "ab" : Self.canary
            self.answer(
                name,
                "* 1 FETCH (UID 3 FLAGS () INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" "
                    + "BODY[] {\(text.utf8.count)}",
                "\(text))",
                "\(tag) OK x"
            )
        case "LIST", "LSUB":
            let delimiter = name == "bob" ? "." : "/"
            // On the other servers, Anna may see everything.
            let hidden = name == "bob" ? Self.canary : "Offen"
            let more = line == Self.ownList ? Self.openFolders : []
            let folders = ["INBOX", hidden, "Projects", "Projects\(delimiter)Sub"] + more
            for folder in folders + ["Privat\(hidden)"] {
                self.answer(name, "* \(verb) () \"\(delimiter)\" \(folder)")
            }
            self.answer(name, "\(tag) OK x")
        case "STATUS":
            let mailbox = words.dropFirst().first ?? ""
            self.answer(name, "* STATUS \(mailbox) (MESSAGES 3)", "\(tag) OK x")
        case "IDLE":
            self.answer(name, "+ idling")
        case "DONE":
            break
        default:
            self.answer(name, "\(tag) OK x")
        }
    }
}

/// Reads what a server receives by its own rules: each line ends with CRLF and contains no other
/// CR, LF or NUL; a quoted string ends on its line; a literal follows exactly where one is
/// announced.
struct StrictReader {
    enum Event {
        case command(tag: String, line: String)
        /// A literal that waits for a continuation.
        case literal
        case broken(String)
    }

    private var line: [UInt8] = []
    private var text: [UInt8] = []
    private var literal: Int?
    private var idleTag: String?

    var isBetweenCommands: Bool { self.line.isEmpty && self.text.isEmpty && self.literal == nil }
    var isInMessage: Bool { String(decoding: self.text, as: UTF8.self).contains(" APPEND ") }

    mutating func receive(_ octets: some Sequence<UInt8>) -> [Event] {
        var events: [Event] = []
        for octet in octets {
            if let rest = self.literal, rest > 0 {
                self.literal = rest - 1
                continue
            }
            self.literal = nil
            self.line.append(octet)
            guard octet == 10 else { continue }
            if let event = self.lineEnded() { events.append(event) }
        }
        if self.literal == 0 { self.literal = nil }
        return events
    }

    private mutating func lineEnded() -> Event? {
        let line = self.line
        self.line = []
        guard line.count >= 2, line[line.count - 2] == 13 else { return .broken("a bare LF") }
        let content = line.dropLast(2)
        guard !content.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else {
            return .broken("CR, LF or NUL inside a line")
        }
        let (isOpen, octets, waits) = Self.scan(Array(content))
        guard !isOpen else { return .broken("a quoted string that does not end") }
        self.text += content
        if let octets {
            self.literal = octets
            return waits ? .literal : nil
        }
        let whole = String(decoding: self.text, as: UTF8.self)
        self.text = []
        if whole == "DONE", let tag = self.idleTag {
            self.idleTag = nil
            return .command(tag: tag, line: "IDLEDONE")
        }
        let parts = whole.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0].utf8.count > 2 else {
            return .broken("a line that is no command: \(whole)")
        }
        let verb = String(parts[1].prefix { $0 != " " })
        guard Self.verbs.contains(verb) else { return .broken("an unknown command \(verb)") }
        if verb == "IDLE" { self.idleTag = parts[0] }
        return .command(tag: parts[0], line: parts[1])
    }

    private static let verbs: Set<String> = [
        "NOOP", "CHECK", "CLOSE", "UNSELECT", "EXPUNGE", "FETCH", "UID", "STORE", "SEARCH", "SORT",
        "THREAD", "COPY", "MOVE", "SELECT", "EXAMINE", "STATUS", "LIST", "LSUB", "CREATE", "DELETE",
        "RENAME", "APPEND", "IDLE", "NOTIFY", "ENABLE", "SUBSCRIBE", "UNSUBSCRIBE", "GETQUOTA",
        "GETQUOTAROOT", "CANCELUPDATE", "LOGOUT",
    ]

    /// Whether a quoted string is open at the end, and the literal that is announced there.
    private static func scan(_ line: [UInt8]) -> (isOpen: Bool, octets: Int?, waits: Bool) {
        var isQuoted = false
        var isEscaped = false
        for octet in line {
            if isEscaped {
                isEscaped = false
            } else if isQuoted, octet == UInt8(ascii: "\\") {
                isEscaped = true
            } else if octet == UInt8(ascii: "\"") {
                isQuoted.toggle()
            }
        }
        guard !isQuoted, line.last == UInt8(ascii: "}"),
            let open = line.lastIndex(of: UInt8(ascii: "{"))
        else { return (isQuoted, nil, false) }
        var digits = line[(open + 1)..<(line.count - 1)]
        let waits = digits.last != UInt8(ascii: "+")
        if !waits { digits = digits.dropLast() }
        return (isQuoted, Int(String(decoding: digits, as: UTF8.self)), waits)
    }
}
