package import Access
package import IMAP

package import struct NIOCore.ByteBuffer

/// A conversation that stores the copy of a sent message in an account's Sent folder, or removes that copy because
/// the sender's mail program stored the same message there.
///
/// It removes only the UID that APPENDUID named, and only while the mailbox has the same UIDVALIDITY.
package struct SentFiling: ServerConversation {
    package enum Purpose: Equatable, Sendable {
        /// Append the message; remove this copy again if the folder has another one.
        case file(octets: Int)
        /// Remove this copy if the folder has another one.
        case tidy(FiledCopy)
    }

    package enum Outcome: Equatable, Sendable {
        /// The message was stored. The copy is nil if the server did not send APPENDUID.
        case filed(FiledCopy?)
        /// The copy was removed, because the folder has another one.
        case removed
        /// The copy stays, or no longer exists.
        case kept
        /// The account has no folder for sent mail, or several that are ambiguous (``SentFolder``).
        case noSentFolder
        /// The server refused a command or broke the protocol before it stored the message.
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

    /// The greatest age in seconds of another copy (`YOUNGER`, RFC 5032). It is a little more than the 65 minutes
    /// during which the gateway retries a copy whose answer was lost.
    static let younger: UInt64 = 4_800
    /// UIDs kept of the SEARCH responses. Once it is reached, further SEARCH responses are ignored.
    private static let maximumFound = 1_000

    private let purpose: Purpose
    let messageID: ByteBuffer?
    private let creatable: [Scope]
    let others: Set<FiledCopy>
    /// Whether the folder may have the message from an earlier attempt, at any time.
    let isRepeated: Bool
    var profile = UpstreamProfile(capabilities: [], delimiter: nil)
    private var sender = CommandSender()
    var state = State.listing
    private var sentFolder: SentFolder
    /// The selected folder, as the server names it.
    var folder: ByteBuffer?
    /// UIDVALIDITY of the selected folder.
    var uidValidity: UInt32?
    /// The gateway's own copy, once APPENDUID has named it.
    var copy: FiledCopy?
    /// UIDs that SEARCH found.
    var found: [UInt32] = []
    var comparison: CopyComparison?

    /// - Parameters:
    ///   - messageID: the value of the message's Message-ID field; without one no messages are compared.
    ///   - creatable: scopes in which users other than the owner may create folders.
    ///   - others: the gateway's copies of other messages; they never count as another copy of this one.
    ///   - isRepeated: whether the folder may have the message from an earlier attempt of any age.
    package init(
        _ purpose: Purpose,
        messageID: ByteBuffer?,
        creatable: [Scope] = [],
        others: Set<FiledCopy> = [],
        isRepeated: Bool = false
    ) {
        self.purpose = purpose
        self.messageID = messageID
        self.creatable = creatable
        self.others = others
        self.isRepeated = isRepeated
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

    /// The octets of the message were sent. The line end of the APPEND command follows.
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

    /// The command in flight was completed with OK.
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

    /// The Sent folder is selected: appends the message, or searches for another copy.
    private mutating func selected() -> Step {
        guard case .file(let octets) = self.purpose, let folder = self.folder else {
            // Under another UIDVALIDITY the UID means another message.
            guard self.copy?.uidValidity == self.uidValidity else { return self.finish(.kept) }
            return self.search()
        }
        self.state = .announcing
        return self.command {
            $0.write(word: "APPEND")
            $0.write(mailbox: folder)
            $0.write(word: "(\\Seen)")
            $0.announce(message: UInt64(octets), isLiteral8: false)
        }
    }

    /// The message is stored. Without a usable APPENDUID the conversation ends, because the copy cannot be named.
    private mutating func appended(_ code: ResponseCode?) -> Step {
        guard case .appendUID(let validity, let uids)? = code, validity == self.uidValidity,
            let uid = uids.members(atMost: 1)?.first, let folder = self.folder
        else { return self.finish(.filed(nil)) }
        self.copy = FiledCopy(folder: folder, uidValidity: validity, uid: uid)
        return self.search()
    }

    // MARK: - The end

    /// Ends the conversation without removing the own copy.
    mutating func keep() -> Step {
        if case .file = self.purpose { return self.finish(.filed(self.copy)) }
        return self.finish(.kept)
    }

    /// Ends the conversation after an error. If the copy is already stored, the outcome is ``Outcome/filed(_:)``.
    private mutating func fail() -> Step {
        if case .file = self.purpose, self.copy != nil { return self.keep() }
        return self.finish(.refused)
    }

    private mutating func finish(_ outcome: Outcome) -> Step {
        self.state = .finished
        return .done(outcome)
    }

    /// Sends a command. In state `announcing` the message follows the last segment.
    mutating func command(_ write: (inout CommandEncoder) -> Void) -> Step {
        var announces = false
        if case .announcing = self.state { announces = true }
        let first = self.sender.send(announces: announces, write: write)
        return first.map { .send([$0]) } ?? self.fail()
    }
}
