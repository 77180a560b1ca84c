import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// A session for a running command, which records every effect of the command.
struct RecordedContext: CommandContext {
    private(set) var fixture: Fixture
    /// The effects since the last check, such as `U bob> T IDLE`, `S: + idling` or `drop bob`.
    var log: [String] = []
    var isFinished = false
    /// Whether the command asked to read the client's octets.
    var wantsClient = false
    var reader = CommandReader(limits: .afterLogin)
    var selected: SelectedMailbox?
    var serverRefusal: ServerRefusal?
    var upstreams: [AccountID: Upstream] = [:]
    /// Folders that their servers do not list.
    var missing: Set<String> = []
    /// Folders whose servers have not been asked yet.
    var unknown: Set<String> = []
    /// Whether a server lists its folders when it is asked.
    var tellsFolders = true
    let now = Fixture.now
    let commandNumber: UInt64 = 1
    var enabled: Set<String> = []
    var passing: AccountID?

    /// - Parameter grants: grants to Anna, such as `bob account lrswi`.
    init(grants: [String] = []) throws {
        var fixture = Fixture()
        for grant in grants { try fixture.configure("grant \(grant)") }
        self.fixture = fixture
    }

    /// Replaces all grants.
    mutating func grant(_ grants: [String]) throws {
        self.fixture.grants = []
        for grant in grants { try self.fixture.configure("grant \(grant)") }
    }

    /// Adds a ready connection to an account's server.
    mutating func connect(_ name: String, _ capabilities: String) {
        let upstream = Upstream(tags: UpstreamTags(random: 7))
        upstream.state = .ready
        upstream.profile.capabilities = Set(capabilities.split(separator: " ").map(String.init))
        upstream.profile.delimiter = UInt8(ascii: "/")
        upstream.names = UpstreamNames(upstream.profile)
        self.upstreams[self.fixture.account(name)] = upstream
    }

    mutating func select(_ name: String, _ folder: String = "INBOX") {
        guard let path = FolderPath(octets: Array(folder.utf8)) else { return }
        self.selected = SelectedMailbox(
            account: self.fixture.account(name),
            folder: path,
            isReadOnlyUpstream: false,
            uidValidity: 9,
            tellsNoModSeq: false
        )
    }

    private func name(_ account: AccountID) -> String { self.fixture.name(of: account) }

    // MARK: - The client

    mutating func emit(_ octets: ByteBuffer) {
        self.log += String(buffer: octets).split(separator: "\r\n").map { "S: \($0)" }
    }

    mutating func finish(_ tag: ByteBuffer, text: ReplyText) {
        self.emit(Reply.tagged(tag, text: text))
        self.isFinished = true
    }

    mutating func leaveCommand() { self.isFinished = true }

    mutating func end(_ text: ReplyText?) {
        if let text { self.emit(Reply.untagged(text)) }
        self.log.append("end")
        self.upstreams = [:]
        self.isFinished = true
    }

    mutating func strike() { self.log.append("strike") }

    mutating func readClient() { self.wantsClient = true }

    mutating func yieldLoop() { self.log.append("yield") }

    // MARK: - The servers

    func upstream(of account: AccountID) -> Upstream? { self.upstreams[account] }

    mutating func open(_ account: AccountID) {
        guard self.upstreams[account] == nil else { return }
        self.upstreams[account] = Upstream(tags: UpstreamTags(random: 7))
        self.log.append("open \(self.name(account))")
    }

    mutating func drop(_ account: AccountID) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.log.append("drop \(self.name(account))")
    }

    mutating func leave(_ account: AccountID, then request: JournalRequest) {
        self.upstreams[account] = nil
        self.log.append("leave \(self.name(account)), then \(Self.label(request))")
    }

    mutating func readUpstream(_ account: AccountID) {
        self.log.append("read \(self.name(account))")
    }

    mutating func commandLeft(_ account: AccountID) {}

    mutating func pollLater() { self.log.append("poll later") }

    mutating func perform(_ action: Action) {
        switch action {
        case .toUpstream(let account, let octets):
            var text = String(buffer: octets)
            if let tag = self.upstreams[account]?.inFlight.map({ String(buffer: $0) }),
                text.hasPrefix("\(tag) ")
            {
                text = "T \(text.dropFirst(tag.count + 1))"
            }
            // In Swift, "\r\n" is one Character.
            if text.hasSuffix("\r\n"), text.count > 1 { text = String(text.dropLast()) }
            self.log.append("U \(self.name(account))> \(text.replacing("\r\n", with: "\\r\\n"))")
        case .journal(let request):
            self.log.append("journal \(Self.label(request))")
        default:
            self.log.append(Self.label(action))
        }
    }

    /// The name of an enum case.
    private static func label(_ value: some Any) -> String {
        Mirror(reflecting: value).children.first?.label ?? "\(value)"
    }

    // MARK: - State of the session

    let user: UserID? = UserID(1)

    var namespace: Namespace {
        let views = [Namespace.View(account: 1, prefix: [])]
        let shared = Set(self.fixture.grants.map(\.account)).sorted().filter { $0 != 1 }.map {
            account in
            let name = "Other Users/\(self.name(account))@kanzlei.example/"
            return Namespace.View(account: account, prefix: Array(name.utf8))
        }
        return Namespace(views: views + shared)
    }

    func subscriptionBase(of view: Namespace.View) -> SubscriptionBase {
        view.isPersonal ? .own : .every
    }

    mutating func reportOmitted(_ name: ByteBuffer, from account: AccountID) {
        self.log.append("omitted \(String(buffer: name))")
    }

    mutating func access(to account: AccountID) -> AccountAccess {
        self.fixture.snapshot.access(of: self.user, to: account, at: self.now)
    }

    mutating func exists(
        _ folder: FolderPath,
        as existence: FolderExistence,
        in account: AccountID
    ) -> Bool? {
        if self.unknown.contains(folder.description) { return nil }
        return !self.missing.contains(folder.description)
    }

    mutating func requestFolders(of account: AccountID) -> Bool {
        self.log.append("folders of \(self.name(account))")
        return self.tellsFolders
    }

    mutating func auditReadingEnded() {}
}
