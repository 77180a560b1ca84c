import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// A conversation that lists the folders of an account, for users who are not its owner.
///
/// It sends one `LIST "" "*"`, with MAILBOXID where the server offers it (RFC 8474, RFC 5819).
package struct FolderReading: ServerConversation {
    package enum Outcome: Equatable, Sendable {
        /// The folders and the profile of the server that listed them.
        case listed(KnownFolders, UpstreamProfile)
        /// The server refused LIST or broke the protocol.
        case refused
    }

    package static let readsStatus = true

    private var sender = CommandSender()
    private var profile = UpstreamProfile(capabilities: [], delimiter: nil)
    private var names: UpstreamNames
    private var folders = ListedFolders()
    private var listing = FolderListing(hasIdentifiers: false)

    package init() {
        self.names = UpstreamNames(self.profile)
    }

    package mutating func begin(_ profile: UpstreamProfile, tags: UpstreamTags) -> Step {
        self.sender = CommandSender(tags)
        self.profile = profile
        self.names = UpstreamNames(profile)
        let hasIdentifiers = profile.hasListedIdentifiers
        self.listing = FolderListing(hasIdentifiers: hasIdentifiers)
        let first = self.sender.send { encoder in
            encoder.write(word: "LIST \"\" \"*\"")
            profile.writeListOptions(identifiers: hasIdentifiers, into: &encoder)
        }
        return first.map { .send([$0]) } ?? .done(.refused)
    }

    package mutating func responseReceived(_ response: ByteBuffer) -> Step {
        guard let head = try? ResponseHead(response) else { return .done(.refused) }
        switch head {
        case .tagged(let tag, let condition, _):
            guard tag == self.sender.tag, condition == .ok else { return .done(.refused) }
            let aliases = self.listing.finished(during: 0).aliases
            return .done(.listed(KnownFolders(self.folders, aliases: aliases), self.profile))
        case .continuation:
            return .done(.refused)
        case .data(.list):
            self.listed(response)
            return .wait
        case .data(.status):
            return self.identified(response) ? .wait : .done(.refused)
        case .data, .status, .numbered:
            return .wait
        }
    }

    /// A LIST line that does not parse omits only its own folder, as in a session.
    private mutating func listed(_ response: ByteBuffer) {
        guard let list = try? ListResponse(response),
            // With another delimiter, the gateway could not tell which grants cover the folder.
            list.delimiter == nil || list.delimiter == self.profile.delimiter,
            let folder = self.names.folder(listedAs: list.mailbox)
        else { return }
        if list.isMailbox { self.listing.add(folder, isVisible: false) }
        self.folders.append(folder, attributes: list.attributes)
    }

    /// Takes the MAILBOXID of a STATUS response.
    ///
    /// - Returns: false if the response does not parse. Two names of one mailbox could then pass for two folders.
    private mutating func identified(_ response: ByteBuffer) -> Bool {
        guard let status = try? StatusResponse(response) else { return false }
        guard let folder = self.names.folder(listedAs: status.mailbox),
            let identifier = status.mailboxIdentifier
        else { return true }
        self.listing.identify(folder, as: identifier)
        return true
    }
}
