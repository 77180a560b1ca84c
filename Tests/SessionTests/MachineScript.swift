import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// Runs the state machine of one command without a session, against a script.
///
/// The lines are written as in dialogs. Input: `C: ` and `C+ ` are the client's octets, with and without a line end;
/// `U bob< ` is a server's response; `! lost bob`, `! ready bob` and `! grant bob account lr` are events. All other
/// lines are the expected effects of the machine, in order (``RecordedContext``).
struct MachineScript {
    var context: RecordedContext
    private let machine: any RunningCommand
    /// The number of the client's octets that arrive at once.
    private let chunk: Int
    /// Pieces of a source that is not read, because the target has not asked for the message.
    private var held: [ResponseReader.Piece] = []

    init(_ machine: some RunningCommand, in context: RecordedContext, chunk: Int = .max) {
        self.machine = machine
        self.context = context
        self.chunk = chunk
    }

    /// - Parameter begin: starts the machine.
    static func run(
        _ machine: some RunningCommand,
        in context: RecordedContext,
        chunk: Int = .max,
        script: String,
        begin: (inout RecordedContext) -> Void
    ) throws {
        var run = MachineScript(machine, in: context, chunk: chunk)
        begin(&run.context)
        try run.play(script)
    }

    mutating func play(_ script: String) throws {
        for line in script.split(separator: "\n").map(String.init) { try self.take(line) }
        self.readClient()
        #expect(self.context.log == [], "the machine did more than the script expects")
    }

    private mutating func take(_ line: String) throws {
        let isInput =
            ["C: ", "C+ ", "! "].contains(where: line.hasPrefix)
            || line.hasPrefix("U ") && line.split(separator: " ").dropFirst().first?.last == "<"
        self.readClient()
        guard isInput else {
            let done = self.context.log.isEmpty ? "(nothing)" : self.context.log.removeFirst()
            #expect(done == line)
            return
        }
        #expect(self.context.log == [], "the machine did more before: \(line)")
        self.context.log = []
        if line.hasPrefix("! ") {
            try self.happen(String(line.dropFirst(2)))
        } else if line.hasPrefix("C") {
            self.client(line.dropFirst(3) + (line.hasPrefix("C: ") ? "\r\n" : ""))
        } else {
            let words = line.split(separator: " ", maxSplits: 2).map(String.init)
            try self.server(self.context.fixture.account(String(words[1].dropLast())), words[2])
        }
        self.readClient()
    }

    private mutating func happen(_ text: String) throws {
        let words = text.split(separator: " ").map(String.init)
        switch words[0] {
        case "lost":
            let account = self.context.fixture.account(words[1])
            self.context.upstreams[account] = nil
            _ = try self.deliver(.lost(answer: .unavailable), from: account)
        case "ready":
            let account = self.context.fixture.account(words[1])
            self.context.connect(words[1], words.dropFirst(2).joined(separator: " "))
            _ = try self.deliver(.ready, from: account)
        case "known":
            self.context.unknown = []
            _ = try self.deliver(.ready, from: self.context.fixture.account(words[1]))
        case "grant":
            try self.context.grant([words.dropFirst().joined(separator: " ")])
            self.machine.permissionsChanged(in: &self.context)
            for account in self.context.upstreams.keys.sorted()
            where self.machine.isForbidden(at: account, in: &self.context) {
                self.context.drop(account)
                _ = try self.deliver(.lost(answer: .notPermitted), from: account)
            }
        case "journal":
            (self.machine as? Transferring)?.journalAnswered(
                try Self.answer(words),
                in: &self.context
            )
        case "polled":
            (self.machine as? Idling)?.pollDue(in: &self.context)
        default:
            Issue.record("cannot be read: \(text)")
        }
    }

    private static func answer(_ words: [String]) throws -> JournalAnswer {
        switch words[1] {
        case "recorded": .recorded(words.count > 2 ? nil : 7)
        case "appending": .appending(words.count == 2)
        case "confirmed": .confirmed(words.count == 2)
        case "forgotten": .forgotten(words.count == 2)
        case "undone": .resolved(.undone)
        case "postponed": .resolved(.postponed)
        default: .busy
        }
    }

    private mutating func deliver(
        _ event: UpstreamEvent,
        from account: AccountID
    ) throws -> Bool {
        guard !self.context.isFinished else { return false }
        return try self.machine.received(event, from: account, in: &self.context)
    }

    // MARK: - The client

    private mutating func client(_ text: String) {
        var octets = ByteBuffer(string: text)
        while octets.readableBytes > 0 {
            let count = min(self.chunk, octets.readableBytes)
            guard let piece = octets.readSlice(length: count) else { return }
            self.context.reader.receive(piece)
            self.context.wantsClient = true
            self.readClient()
        }
    }

    /// Delivers the client's octets to the machine, as the session does.
    private mutating func readClient() {
        guard self.context.wantsClient else { return }
        self.context.wantsClient = false
        while !self.context.isFinished, self.readsClient,
            let event = try? self.context.reader.next()
        {
            switch (event, self.machine) {
            case (.command(let line), let idling as Idling):
                idling.lineReceived(line, in: &self.context)
            case (.message(let head, let literal), let appending as Appending):
                appending.furtherMessageAnnounced(head, literal: literal, in: &self.context)
            case (.messageOctets(let octets), let appending as Appending):
                appending.octetsReceived(octets, in: &self.context)
            case (.appendEnded(let rest), let appending as Appending):
                appending.ended(rest, in: &self.context)
            case (.commandRefused, let appending as Appending):
                appending.abandon(.tooBig, in: &self.context)
            default:
                Issue.record("no machine takes the client's octets: \(event)")
            }
        }
    }

    private var readsClient: Bool {
        switch self.machine {
        case let idling as Idling: idling.readsClient
        case let appending as Appending: appending.readsClient
        default: false
        }
    }

    // MARK: - The servers

    private mutating func server(_ account: AccountID, _ text: String) throws {
        var reader = ResponseReader()
        reader.receive(ByteBuffer(string: text.replacing("\\r\\n", with: "\r\n") + "\r\n"))
        var pieces: [ResponseReader.Piece] = []
        while let piece = try reader.next() { pieces.append(piece) }
        let first = try #require(pieces.first)
        switch try ResponseHead(first.octets) {
        case .continuation:
            #expect(try self.deliver(.continued, from: account), "\(text)")
            self.passHeld()
        case .tagged(_, let condition, let text):
            self.context.upstreams[account]?.inFlight = nil
            let code = try? ResponseText(text).code
            let completion = Completion(condition: condition, code: code)
            _ = try self.deliver(.completed(completion), from: account)
        case .status(_, let text):
            let code = try #require(try ResponseText(text).code)
            _ = try self.deliver(.untagged(.status(code)), from: account)
        case .numbered:
            try self.message(pieces, from: account)
        case .data(let kind):
            let response = ByteBuffer(bytes: pieces.flatMap(\.octets.readableBytesView))
            let untagged = try self.untagged(kind, response, from: account)
            _ = try self.deliver(.untagged(untagged), from: account)
        }
    }

    private func untagged(
        _ kind: DataKind,
        _ response: ByteBuffer,
        from account: AccountID
    ) throws -> UntaggedResponse {
        switch kind {
        case .flags: return .flags(try FlagsResponse(response).flags)
        case .quotaRoot: return .quotaRoot(try QuotaRootResponse(response))
        case .status:
            let status = try StatusResponse(response)
            let names = try #require(self.context.upstreams[account]?.names)
            return .counts(status, try #require(names.folder(named: status.mailbox)))
        default:
            return .list(
                try ListResponse(response),
                octets: response.readableBytes,
                isLsub: kind == .lsub
            )
        }
    }

    /// Delivers a FETCH response, as the session does for a transfer.
    private mutating func message(
        _ pieces: [ResponseReader.Piece],
        from account: AccountID
    ) throws {
        let transferring = try #require(self.machine as? Transferring)
        guard let first = pieces.first, account == transferring.plan.source else { return }
        if case .listing = transferring.step {
            _ = try self.deliver(.untagged(.fetch(first.octets)), from: account)
        } else if try transferring.receives(first, in: &self.context) {
            self.held = pieces
            self.passHeld()
        }
    }

    /// Delivers the pieces of a message, unless its source is paused.
    private mutating func passHeld() {
        guard let transferring = self.machine as? Transferring, !transferring.isSourcePaused else {
            return
        }
        for piece in self.held { transferring.pieceReceived(piece, in: &self.context) }
        self.held = []
    }
}
