import Access
import IMAP
import NIOCore
import Session
import Testing

/// A scripted conversation and the session that it tests (``DialogTests``).
struct Dialog {
    private struct Step {
        var number: Int
        var text: String
    }

    private let name: String
    private var steps: [Step] = []
    private var fixture = Fixture()
    private var session: ClientSession
    private var fromClient = Arriving()
    private var toClient: [UInt8] = []
    private var toUpstream: [String: [UInt8]] = [:]
    private var closed: Set<String> = []
    private var left: Set<String> = []
    private var paused: [String: Int] = [:]
    private var journal: [String] = []
    private var audit: [String] = []
    private var isAuditRead = false
    /// Logged lines of servers that could not be parsed.
    private var log: [String] = []
    private var revocations = 0
    private var aclChanges: [String] = []
    private var aclOutcome = ACLChange.Outcome.done
    private var isJournalHeld = false
    private var isJournalWritable = true
    private var journalAnswers: [JournalAnswer] = []
    private var resolution = TransferResolution.undone
    private var tags: [String: String] = [:]
    private var isClosed = false
    private var refusals: [String] = []
    private var forgotten: Set<String> = []
    private var position = 0
    private var isStoreUnreadable = false

    init(_ text: String, name: String) throws {
        self.name = name
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        where !line.isEmpty && !line.hasPrefix("#") {
            let step = Step(number: index + 1, text: String(line))
            if line.hasPrefix("@") {
                try self.fixture.configure(String(line.dropFirst()))
            } else {
                self.steps.append(step)
            }
        }
        self.fixture.addFolders(in: text)
        self.session = ClientSession(
            snapshot: self.fixture.snapshot,
            hasTLS: true,
            subscribesShared: self.fixture.subscribesShared,
            at: Fixture.now
        )
    }

    mutating func run(chunk: Int) throws {
        self.logIn()
        self.isAuditRead = self.steps.contains { $0.text.hasPrefix("A: ") }
        for (position, step) in self.steps.enumerated() {
            self.position = position
            try self.run(step, chunk: chunk)
        }
        #expect(
            self.isClosed || self.fromClient.isEmpty,
            "\(self.name): the session does not read what the client sent"
        )
        #expect(self.audit == [], "\(self.name): the audit log got more than was written")
        if self.steps.contains(where: { $0.text.hasPrefix("! logs ") }) {
            #expect(self.log == [], "\(self.name): the log got more than was written")
        }
        if self.steps.contains(where: { $0.text.hasPrefix("! folders ") }) {
            let note = self.fixture.remembered.nextNote()
            #expect(note == "(nothing)", "\(self.name): more was asked of what is known of folders")
        }
        #expect(self.aclChanges == [], "\(self.name): the store got more than was written")
        let rest = String(decoding: self.toClient, as: UTF8.self)
        #expect(rest == "", "\(self.name): the client got more than was written")
        #expect(self.journal == [], "\(self.name): the journal got more than was written")
        for (account, octets) in self.toUpstream {
            let rest = String(decoding: octets, as: UTF8.self)
            #expect(rest == "", "\(self.name): the server of \(account) got more than was written")
        }
    }

    private mutating func logIn() {
        self.session.opened()
        self.session.clientOctetsReceived(
            ByteBuffer(string: "l LOGIN anna@kanzlei.example pw\r\n"),
            at: Fixture.now
        )
        self.perform()
        self.session.authenticationFinished(self.fixture.login)
        self.perform()
        #expect(String(decoding: self.toClient, as: UTF8.self).contains("l OK"), "\(self.name)")
        self.toClient = []
    }

    private mutating func run(_ step: Step, chunk: Int) throws {
        let text = step.text
        if text.hasPrefix("C: ") {
            self.client(text.dropFirst(3) + "\r\n", chunk)
        } else if text.hasPrefix("C+ ") {
            let octets = text.dropFirst(3).replacing("\\r\\n", with: "\r\n")
                .replacing("\\0", with: "\0")
            self.client(octets, chunk)
        } else if text.hasPrefix("S: ") {
            self.expectClient(String(text.dropFirst(3)), step)
        } else if text.hasPrefix("A: ") {
            let record = self.audit.isEmpty ? "(nothing)" : self.audit.removeFirst()
            #expect(record == text.dropFirst(3), "\(self.name):\(step.number)")
        } else if text.hasPrefix("U ") {
            let parts = text.dropFirst(2).split(separator: " ", maxSplits: 1)
            let account = String(parts[0].dropLast())
            let line = parts.count > 1 ? String(parts[1]) : ""
            if parts[0].hasSuffix(">") {
                self.expectUpstream(account, line, step)
            } else {
                self.upstream(account, line, chunk)
            }
        } else if text.hasPrefix("! ") {
            try self.event(String(text.dropFirst(2)), step)
        } else {
            Issue.record("\(self.name):\(step.number): cannot be read: \(text)")
        }
    }

    private mutating func event(_ text: String, _ step: Step) throws {
        let words = text.split(separator: " ").map(String.init)
        switch words.first {
        case "grant", "revoke":
            self.fixture.grants = []
            if words[0] == "grant" { try self.fixture.configure(text) }
            self.session.snapshotChanged(self.fixture.snapshot, at: Fixture.now)
        case "waited":
            self.session.waitingTimePassed()
        case "failing":
            self.fixture.remembered.fail(self.fixture.account(words[1]))
        case "folders":
            let noted = self.fixture.remembered.nextNote()
            #expect(
                noted == words.dropFirst().joined(separator: " "),
                "\(self.name):\(step.number)"
            )
        case "poll":
            self.session.pollDue(at: Fixture.now)
        case "close":
            self.session.upstreamClosed(self.fixture.account(words[1]))
        case "server":
            self.session.serverChanged(self.fixture.account(words[1]))
            self.session.snapshotChanged(self.fixture.snapshot, at: Fixture.now)
        case "drop":
            let wasClosed = self.closed.remove(words[1]) != nil
            #expect(wasClosed, "\(self.name):\(step.number): the connection is not closed")
        case "logged":
            let refusal = self.refusals.isEmpty ? "(nothing)" : self.refusals.removeFirst()
            #expect(
                refusal == words.dropFirst().joined(separator: " "),
                "\(self.name):\(step.number)"
            )
        case "forgotten":
            let wasForgotten = self.forgotten.remove(words[1]) != nil
            #expect(wasForgotten, "\(self.name):\(step.number): the profile is not forgotten")
        case "left":
            let wasLeft = self.left.remove(words[1]) != nil
            #expect(wasLeft, "\(self.name):\(step.number): the connection is not left")
        case "journal":
            let entry = self.journal.isEmpty ? "(nothing)" : self.journal.removeFirst()
            #expect(
                entry == words.dropFirst().joined(separator: " "),
                "\(self.name):\(step.number)"
            )
        case "shares":
            let change = self.aclChanges.isEmpty ? "(nothing)" : self.aclChanges.removeFirst()
            #expect(
                change == words.dropFirst().joined(separator: " "),
                "\(self.name):\(step.number)"
            )
        case "logs":
            let line = self.log.isEmpty ? "(nothing)" : self.log.removeFirst()
            #expect(line == text.dropFirst(5), "\(self.name):\(step.number)")
        case "refuses":
            self.aclOutcome = words[1] == "unknown" ? .unknownIdentifier : .grantedElsewhere
        case "revocations":
            #expect(String(self.revocations) == words[1], "\(self.name):\(step.number)")
        case "revoked":
            self.session.revocationDue()
        case "hold":
            self.isJournalHeld = true
        case "full":
            self.isJournalWritable = false
        case "written":
            self.isJournalHeld = false
            for answer in self.journalAnswers { self.session.journalAnswered(answer) }
            self.journalAnswers = []
        case "resolves":
            self.resolution =
                switch words[1] {
                case "remains": .remains
                case "postponed": .postponed
                case "completed": .completed
                default: .undone
                }
        case "unreadable":
            self.isStoreUnreadable = true
        case "leave":
            self.session.clientClosed()
        case "awaits":
            let awaited = self.session.awaitedAnswer(of: self.fixture.account(words[1]))
            #expect(
                awaited.map { "\($0)" } ?? "nothing" == words[2],
                "\(self.name):\(step.number)"
            )
        case "silent":
            self.session.upstreamSilent(self.fixture.account(words[1]))
        case "unused":
            self.session.leaveUnusedServers()
        case "report":
            self.session.reportDue(at: Fixture.now)
        case "paused":
            let milliseconds = self.paused.removeValue(forKey: words[1])
            #expect(milliseconds.map(String.init) == words[2], "\(self.name):\(step.number)")
        case "end":
            #expect(self.isClosed, "\(self.name):\(step.number): the client's is not closed")
        default:
            Issue.record("\(self.name):\(step.number): cannot be read: \(text)")
        }
        self.perform()
    }

    // MARK: - Octets

    private mutating func client(_ text: some StringProtocol, _ chunk: Int) {
        self.fromClient.append(Array(text.utf8), chunk: chunk)
        self.readClient()
    }

    /// Hands over what the client sent while the session accepts octets.
    private mutating func readClient() {
        guard self.fromClient.begin() else { return }
        while self.session.wantsClientOctets, let piece = self.fromClient.next() {
            self.session.clientOctetsReceived(piece, at: Fixture.now)
            self.perform()
        }
        self.fromClient.end()
    }

    private mutating func upstream(_ account: String, _ line: String, _ chunk: Int) {
        var text = line.replacing("\\r\\n", with: "\r\n").replacing("\\0", with: "\0")
        if text.hasPrefix("T ") { text = (self.tags[account] ?? "?") + text.dropFirst(1) }
        for word in ["(TAG", "[NOUPDATE"] {
            text = text.replacing(
                "\(word) \"T\"",
                with: "\(word) \"\(self.tags[account] ?? "?")\""
            )
        }
        var octets = Array((text + "\r\n").utf8)[...]
        while !octets.isEmpty {
            let piece = octets.prefix(chunk)
            octets = octets.dropFirst(piece.count)
            self.session.upstreamOctetsReceived(
                self.fixture.account(account),
                octets: ByteBuffer(bytes: piece),
                at: Fixture.now
            )
            self.perform()
        }
    }

    private mutating func perform() {
        var actions: [Action] = []
        self.session.takeActions(into: &actions)
        while !actions.isEmpty {
            for action in actions { self.perform(action) }
            self.session.takeActions(into: &actions)
        }
        self.readClient()
    }

    private mutating func perform(_ action: Action) {
        switch action {
        case .toClient(let octets):
            self.toClient.append(contentsOf: octets.readableBytesView)
        case .toUpstream(let account, let octets):
            self.send(octets, to: account)
        case .openUpstream(let account):
            self.open(account)
        case .closeUpstream(let account):
            self.closed.insert(self.fixture.name(of: account))
            self.toUpstream[self.fixture.name(of: account)] = nil
        case .loadSubscriptions:
            let choices = SubscriptionChoices(self.fixture.subscriptions)
            self.session.subscriptionsLoaded(self.isStoreUnreadable ? nil : choices)
        case .changeSubscription(let change):
            self.fixture.change(change)
            self.session.subscriptionChanged(.changed)
        case .closeClient:
            self.isClosed = true
        case .leaveUpstream(let account, let request):
            self.left.insert(self.fixture.name(of: account))
            self.journal(request)
        case .pauseUpstream(let account, let milliseconds):
            self.paused[self.fixture.name(of: account)] = milliseconds
        case .journal(let request):
            self.journal(request)
        case .audit(let event):
            if self.isAuditRead { self.audit.append(self.fixture.text(of: event)) }
        case .changeACL(let change):
            let identifier = String(decoding: change.identifier, as: UTF8.self)
            self.aclChanges.append(
                "\(self.fixture.name(of: change.account)) \(change.folder) \(identifier) "
                    + "\(change.kind.rawValue) "
                    + (change.rights.isEmpty ? "none" : change.rights.letters)
            )
            self.session.aclChanged(self.aclOutcome)
        case .revokeLater:
            self.revocations += 1
        case .readLater:
            self.session.resumeReading(at: Fixture.now)
        case .lineUnreadable(let account, let line):
            self.log.append("\(self.fixture.name(of: account)) \(line)")
        case .serverRefused(let account, let refusal):
            let name = self.fixture.name(of: account)
            self.refusals.append("\(name) \(refusal.name): \(refusal.text)")
        case .forgetProfile(let account):
            self.forgotten.insert(self.fixture.name(of: account))
        case .lookUpFolders(let keys):
            self.session.foldersLookedUp(self.fixture.remembered.knowledge(of: keys))
        case .keepFolders(let key, let folders, _):
            self.fixture.remembered.keep(folders, of: self.fixture.name(of: key.account))
            self.fixture.remembered.last = folders
        case .refreshFolders(let account):
            self.fixture.remembered.note("refresh \(self.fixture.name(of: account))")
        case .foldersChanged(let account):
            self.fixture.remembered.note("change \(self.fixture.name(of: account))")
        case .serverStalled(let account):
            self.fixture.remembered.note("stall \(self.fixture.name(of: account))")
        case .authenticate, .startTLS, .pollLater, .reportLater, .upstreamFailed, .limitWaiting:
            break
        }
    }

    /// Answers the gateway's own LIST at once, unless the dialog contains the answer.
    private mutating func send(_ octets: ByteBuffer, to account: AccountID) {
        let name = self.fixture.name(of: account)
        let line = String(buffer: octets)
        guard line.hasSuffix(" LIST \"\" \"*\"\r\n"), !self.expectsList(from: name) else {
            return self.toUpstream[name, default: []].append(contentsOf: octets.readableBytesView)
        }
        let tag = String(line.prefix { $0 != " " })
        self.session.upstreamOctetsReceived(
            account,
            octets: ByteBuffer(string: self.fixture.list(of: account, tag: tag)),
            at: Fixture.now
        )
    }

    /// Whether the dialog contains a server's answer to the gateway's own LIST before the client's
    /// next line.
    private func expectsList(from name: String) -> Bool {
        let rest = self.steps[self.position...]
        let own = rest.first?.text.hasPrefix("C") ?? false ? rest.dropFirst() : rest
        return own.prefix { !$0.text.hasPrefix("C") }.contains {
            $0.text.hasPrefix("U \(name)> T LIST \"\" \"*\"")
        }
    }

    private mutating func journal(_ request: JournalRequest) {
        switch request {
        case .record(let transfer):
            self.journal.append("record \(transfer.moves ? "MOVE" : "COPY") \(transfer.uids)")
            self.answer(.recorded(1))
        case .append(_, let append):
            let sources = append.messages.map(\.source)
            var entry = "append \(append.number) \(sources)"
            if append.previous.number > 0 { entry += " after \(Self.text(of: append.previous))" }
            self.journal.append(entry)
            self.answer(.appending(self.isJournalWritable))
        case .confirm(_, let uids, let last):
            self.journal.append("confirm \(uids) \(Self.text(of: last))")
            self.answer(.confirmed(true))
        case .forget:
            self.journal.append("forget")
            self.answer(.forgotten(true))
        case .resolve(_, let interruptedState):
            self.journal.append("resolve \(Self.text(of: interruptedState))")
            self.answer(.resolved(self.resolution))
        }
    }

    private mutating func answer(_ answer: JournalAnswer) {
        if self.isJournalHeld { return self.journalAnswers.append(answer) }
        self.session.journalAnswered(answer)
    }

    private static func text(of interruptedState: InterruptedTransferState?) -> String {
        switch interruptedState {
        case .copied: "copied"
        case .begun(let last): "begun \(last.number) \(Self.text(of: last))"
        case .none: "-"
        }
    }

    private static func text(of outcome: AppendOutcome) -> String {
        switch outcome.answer {
        case .missing: "missing"
        case .refused: "refused"
        case .stored(let uids):
            "stored \(uids.map { String(buffer: SequenceSet(uids: $0).text) } ?? "?")"
        }
    }

    private mutating func open(_ account: AccountID) {
        let name = self.fixture.name(of: account)
        if self.fixture.down.contains(name) {
            self.session.upstreamFailed(account, fault: .unreachable)
        } else if let profile = self.fixture.profiles[account] ?? nil {
            self.session.upstreamReady(
                account,
                profile: profile,
                tags: UpstreamTags(random: 7),
                identification: self.fixture.identified.contains(name)
                    ? ByteBuffer(string: "ID1") : nil,
                isKnown: self.fixture.known.remove(name) != nil
            )
            self.fixture.connectAgain(name)
        }
    }

    // MARK: - Expectations

    private mutating func expectClient(_ line: String, _ step: Step) {
        let found = Self.takeLine(&self.toClient)
        #expect(found == line, "\(self.name):\(step.number)")
    }

    private mutating func expectUpstream(_ account: String, _ line: String, _ step: Step) {
        var found = Self.takeLine(&self.toUpstream[account, default: []])
        if line.hasPrefix("T "), let space = found.firstIndex(of: " ") {
            self.tags[account] = String(found[..<space])
            found = "T" + found[space...]
        }
        found = found.replacing("\0", with: "\\0")
        #expect(found == line, "\(self.name):\(step.number)")
    }

    private static func takeLine(_ octets: inout [UInt8]) -> String {
        guard let end = octets.firstIndex(of: 10) else {
            defer { octets = [] }
            return octets.isEmpty ? "(nothing)" : String(decoding: octets, as: UTF8.self)
        }
        let line = octets[..<end]
        octets.removeSubrange(...end)
        return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
    }
}
