import IMAP

package import struct NIOCore.ByteBuffer

/// The conversation in which the copy of a sent message is put into an account's Sent folder, or
/// taken out again because the sender's own program put one there too.
///
package struct SentFiling: ServerConversation {
    package enum Purpose: Equatable, Sendable {
        /// Append the message, of so many octets, unless it is there.
        case file(octets: Int)
        /// Remove the copy with this UID if there is another one.
        case tidy(uid: UInt32)
    }

    package enum Outcome: Equatable, Sendable {
        /// - Parameter uid: of the copy, where the server tells it (RFC 4315).
        case filed(uid: UInt32?)
        case wasThere
        case tidied
        case noSentFolder
        case refused
    }

    private enum State {
        case listing
        case selecting
        case searching
        case announcing
        case sending
        case appending
        case marking
        case expunging
        case finished
    }

    /// How long ago, in seconds, another copy may have been filed to count: a little more than the
    /// 65 minutes in which one is tried again whose answer was lost.
    private static let younger: UInt64 = 4_800
    /// Copies that are looked at; whether there is another one is all that counts.
    private static let maximumFound = 1_000

    private let purpose: Purpose
    private let messageID: ByteBuffer?
    private var profile = UpstreamProfile(capabilities: [], delimiter: nil)
    private var sender = CommandSender()
    private var state = State.listing
    private var folder: ByteBuffer?
    /// Whether the server itself says that the folder is for this.
    private var isSpecialUse = false
    private var found: [UInt32] = []

    /// - Parameter messageID: the value of the message's Message-ID; without one nothing is looked
    ///   for.
    package init(_ purpose: Purpose, messageID: ByteBuffer?) {
        self.purpose = purpose
        self.messageID = messageID
    }

    package mutating func begin(_ profile: UpstreamProfile, _ tags: UpstreamTags) -> Step {
        self.profile = profile
        self.sender = CommandSender(tags)
        let isExtended = self.profile.has("LIST-EXTENDED") && self.profile.has("SPECIAL-USE")
        return self.command { encoder in
            encoder.write(word: "LIST \"\" \"*\"")
            if isExtended { encoder.write(word: "RETURN (SPECIAL-USE)") }
        }
    }

    /// The message's octets are out; the line end of APPEND follows.
    package mutating func messageSent() -> Step {
        self.state = .appending
        return .send([ByteBuffer(staticString: "\r\n")])
    }

    package mutating func responseReceived(_ response: ByteBuffer) -> Step {
        guard let head = try? ResponseHead(response) else { return self.finish(.refused) }
        switch head {
        case .tagged(let tag, let condition, let text):
            guard tag == self.sender.tag else { return self.finish(.refused) }
            let code = (try? ResponseText(text))?.code
            return condition == .ok ? self.completed(code) : self.finish(.refused)
        case .continuation:
            if let segment = self.sender.next() { return .send([segment]) }
            guard case .announcing = self.state else { return self.finish(.refused) }
            self.state = .sending
            return .sendMessage
        case .data(.list):
            self.listed(response)
            return .wait
        case .data(.search):
            guard case .searching = self.state, self.found.count < Self.maximumFound else {
                return .wait
            }
            self.found += Self.numbers(response)
            return .wait
        case .data, .status, .numbered:
            return .wait
        }
    }

    /// The first of the account's own folders with the special use `\Sent` (RFC 6154 §2), else the one
    /// that is called so.
    private mutating func listed(_ response: ByteBuffer) {
        guard !self.isSpecialUse, let list = try? ListResponse(response),
            UpstreamNames(self.profile).folder(named: list.mailbox) != nil
        else { return }
        if list.attributes.contains(where: { $0.equals(word: "\\Sent") }) {
            self.folder = list.mailbox
            self.isSpecialUse = true
        } else if self.folder == nil, self.isCalledSent(list.mailbox) {
            self.folder = list.mailbox
        }
    }

    /// `Sent`, behind a prefix of the personal namespaces.
    private func isCalledSent(_ name: ByteBuffer) -> Bool {
        self.profile.personalPrefixes.contains { prefix in
            guard name.readableBytesView.starts(with: prefix) else { return false }
            return ByteBuffer(bytes: name.readableBytesView.dropFirst(prefix.count))
                .equals(word: "Sent")
        }
    }

    /// `* SEARCH 2 84`
    private static func numbers(_ response: ByteBuffer) -> [UInt32] {
        String(buffer: response).split(whereSeparator: \.isWhitespace).dropFirst(2)
            .compactMap { UInt32($0) }
    }

    private mutating func completed(_ code: ResponseCode?) -> Step {
        switch self.state {
        case .listing:
            guard let folder = self.folder else { return self.finish(.noSentFolder) }
            self.state = .selecting
            return self.command {
                $0.write(word: "SELECT")
                $0.write(mailbox: folder)
            }
        case .selecting:
            guard let messageID = self.messageID else { return self.searched() }
            self.state = .searching
            let hasWithin = self.profile.has("WITHIN")
            return self.command {
                $0.write(word: "UID SEARCH HEADER Message-ID")
                $0.write(string: messageID)
                guard hasWithin else { return }
                $0.write(word: "YOUNGER")
                $0.write(number: Self.younger)
            }
        case .searching:
            return self.searched()
        case .appending:
            guard case .appendUID(_, let uids)? = code, let uid = UInt32(String(buffer: uids.text))
            else { return self.finish(.filed(uid: nil)) }
            return self.finish(.filed(uid: uid))
        case .marking:
            guard case .tidy(let uid) = self.purpose, self.profile.has("UIDPLUS") else {
                return self.finish(.tidied)
            }
            self.state = .expunging
            return self.command {
                $0.write(word: "UID EXPUNGE")
                $0.write(number: UInt64(uid))
            }
        case .expunging:
            return self.finish(.tidied)
        case .announcing, .sending, .finished:
            return self.finish(.refused)
        }
    }

    private mutating func searched() -> Step {
        switch self.purpose {
        case .file(let octets):
            guard self.found.isEmpty, let folder = self.folder else {
                return self.finish(.wasThere)
            }
            self.state = .announcing
            return self.command {
                $0.write(word: "APPEND")
                $0.write(mailbox: folder)
                $0.write(word: "(\\Seen)")
                $0.announce(octets: UInt64(octets), isLiteral8: false)
            }
        case .tidy(let uid):
            guard self.found.contains(uid), self.found.count > 1 else {
                return self.finish(.tidied)
            }
            self.state = .marking
            return self.command {
                $0.write(word: "UID STORE")
                $0.write(number: UInt64(uid))
                $0.write(word: "+FLAGS.SILENT (\\Deleted)")
            }
        }
    }

    private mutating func finish(_ outcome: Outcome) -> Step {
        self.state = .finished
        return .done(outcome)
    }

    private mutating func command(_ write: (inout CommandEncoder) -> Void) -> Step {
        var announces = false
        if case .announcing = self.state { announces = true }
        let first = self.sender.send(announces: announces, write)
        return first.map { .send([$0]) } ?? self.finish(.refused)
    }
}
