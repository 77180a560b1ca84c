package import Access
package import IMAP

package import struct NIOCore.ByteBuffer

/// The conversation in which the copy of a sent message is put into an account's Sent folder, or
/// taken out again because the sender's own program put the same message there.
///
/// What goes is the copy that APPENDUID has named, in the same mailbox still, and nothing else.
package struct SentFiling: ServerConversation {
    package enum Purpose: Equatable, Sendable {
        /// Append the message, of so many octets; where the same is there, remove this one.
        case file(octets: Int)
        /// Remove this copy if the same message is there otherwise.
        case tidy(FiledCopy)
    }

    package enum Outcome: Equatable, Sendable {
        /// - Parameter copy: nil where the server does not name it.
        case filed(FiledCopy?)
        /// The copy is removed: there is another one.
        case removed
        /// The copy stays, or is not there any more.
        case kept
        case noSentFolder
        case refused
    }

    enum State {
        case listing
        case selecting
        case announcing
        case sending
        case appending
        case searching
        case sizing
        case reading
        case marking
        case expunging
        case finished
    }

    /// How long ago, in seconds, another copy may have been filed to count: a little more than the
    /// 65 minutes in which one is tried again whose answer was lost.
    static let younger: UInt64 = 4_800
    /// Messages of a SEARCH that are kept.
    private static let maximumFound = 1_000

    private let purpose: Purpose
    let messageID: ByteBuffer?
    private let creatable: [Scope]
    let others: Set<FiledCopy>
    var profile = UpstreamProfile(capabilities: [], delimiter: nil)
    private var sender = CommandSender()
    var state = State.listing
    private var sentFolder: SentFolder
    var folder: ByteBuffer?
    var uidValidity: UInt32?
    /// The gateway's own.
    var copy: FiledCopy?
    var found: [UInt32] = []
    var comparison: CopyComparison?

    /// - Parameters:
    ///   - messageID: the value of the message's Message-ID; without one nothing is compared.
    ///   - creatable: where others than the owner may create folders.
    ///   - others: the gateway's own copies, which do not stand for one another.
    package init(
        _ purpose: Purpose,
        messageID: ByteBuffer?,
        creatable: [Scope] = [],
        others: Set<FiledCopy> = []
    ) {
        self.purpose = purpose
        self.messageID = messageID
        self.creatable = creatable
        self.others = others
        self.sentFolder = SentFolder(self.profile, creatable: creatable)
        if case .tidy(let copy) = purpose { self.copy = copy }
    }

    package mutating func begin(_ profile: UpstreamProfile, tags: UpstreamTags) -> Step {
        self.profile = profile
        self.sender = CommandSender(tags)
        if let copy = self.copy { return self.select(copy.folder) }
        self.sentFolder = SentFolder(profile, creatable: self.creatable)
        let isExtended = self.profile.has("LIST-EXTENDED") && self.profile.has("SPECIAL-USE")
        return self.command { encoder in
            encoder.write(word: "LIST \"\" \"*\"")
            if isExtended { encoder.write(word: "RETURN (SPECIAL-USE)") }
        }
    }

    /// The message's octets are out; the line end of APPEND follows.
    package mutating func messageSent() -> Step {
        guard case .sending = self.state else { return self.finish(.refused) }
        self.state = .appending
        return .send([ByteBuffer(staticString: "\r\n")])
    }

    package mutating func pieceReceived(_ piece: ResponseReader.Piece) -> Bool {
        guard case .reading = self.state else { return false }
        return self.comparison?.take(piece) ?? false
    }

    package mutating func responseReceived(_ response: ByteBuffer) -> Step {
        guard let head = try? ResponseHead(response) else { return self.fail() }
        switch head {
        case .tagged(let tag, let condition, let text):
            guard tag == self.sender.tag else { return self.fail() }
            let code = (try? ResponseText(text))?.code
            return condition == .ok ? self.completed(code) : self.fail()
        case .continuation:
            if let segment = self.sender.next() { return .send([segment]) }
            guard case .announcing = self.state else { return self.fail() }
            self.state = .sending
            return .sendMessage
        case .status(_, let text):
            if case .selecting = self.state,
                case .uidValidity(let value)? = (try? ResponseText(text))?.code
            {
                self.uidValidity = value
            }
        case .data(.list):
            if case .listing = self.state, let list = try? ListResponse(response) {
                self.sentFolder.listed(list)
            }
        case .data(.search):
            self.searched(response)
        case .numbered(_, .fetch):
            if case .sizing = self.state, let fetched = try? FetchResponse(response),
                let uid = fetched.uid, let octets = fetched.size
            {
                self.comparison?.sized(uid: uid, octets: octets)
            }
        case .data, .numbered:
            break
        }
        return .wait
    }

    /// `* SEARCH 2 84`
    private mutating func searched(_ response: ByteBuffer) {
        guard case .searching = self.state, self.found.count < Self.maximumFound else { return }
        self.found += String(buffer: response).split(whereSeparator: \.isWhitespace).dropFirst(2)
            .compactMap { UInt32($0) }
    }

    private mutating func completed(_ code: ResponseCode?) -> Step {
        switch self.state {
        case .listing:
            guard let folder = self.sentFolder.name else { return self.finish(.noSentFolder) }
            return self.select(folder)
        case .selecting:
            return self.selected()
        case .appending:
            return self.appended(code)
        case .searching:
            return self.compare()
        case .sizing:
            return self.read(self.comparison?.begin())
        case .reading:
            return self.read(self.comparison?.next())
        case .marking:
            return self.expunge()
        case .expunging:
            return self.finish(.removed)
        case .announcing, .sending, .finished:
            return self.fail()
        }
    }

    private mutating func select(_ folder: ByteBuffer) -> Step {
        self.folder = folder
        self.state = .selecting
        return self.command {
            $0.write(word: "SELECT")
            $0.write(mailbox: folder)
        }
    }

    private mutating func selected() -> Step {
        guard case .file(let octets) = self.purpose, let folder = self.folder else {
            // Another mailbox of the same name has other messages.
            guard self.copy?.uidValidity == self.uidValidity else { return self.finish(.kept) }
            return self.search()
        }
        self.state = .announcing
        return self.command {
            $0.write(word: "APPEND")
            $0.write(mailbox: folder)
            $0.write(word: "(\\Seen)")
            $0.announce(octets: UInt64(octets), isLiteral8: false)
        }
    }

    private mutating func appended(_ code: ResponseCode?) -> Step {
        guard case .appendUID(let validity, let uids)? = code, validity == self.uidValidity,
            let uid = uids.members(atMost: 1)?.first, let folder = self.folder
        else { return self.finish(.filed(nil)) }
        self.copy = FiledCopy(folder: folder, uidValidity: validity, uid: uid)
        return self.search()
    }

    // MARK: - The end

    /// The own copy stays.
    mutating func keep() -> Step {
        if case .file = self.purpose { return self.finish(.filed(self.copy)) }
        return self.finish(.kept)
    }

    /// A server that fails once the copy is filed has it all the same.
    private mutating func fail() -> Step {
        if case .file = self.purpose, self.copy != nil { return self.keep() }
        return self.finish(.refused)
    }

    private mutating func finish(_ outcome: Outcome) -> Step {
        self.state = .finished
        return .done(outcome)
    }

    mutating func command(_ write: (inout CommandEncoder) -> Void) -> Step {
        var announces = false
        if case .announcing = self.state { announces = true }
        let first = self.sender.send(announces: announces, write)
        return first.map { .send([$0]) } ?? self.fail()
    }
}
