import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Searches whose changes the server tells until the mailbox is left (RFC 5267).
extension ClientSession {
    /// Searches that are kept up to date at once: a client shows one or two, and each costs the
    /// server work whenever a message changes.
    private static let maximumUpdatingSearches = 16

    /// Whether a search asks for its changes to be told, and may. A search over the limit is
    /// carried out without, as RFC 5267 §4.3.1 has it; so is one at a server that cannot tell them.
    mutating func mayUpdate(
        _ tag: ByteBuffer,
        returns: inout [SearchReturn]?,
        extensions: SearchExtensions,
        selected: SelectedMailbox
    ) -> Bool {
        guard let update = returns?.first(where: \.isUpdate) else { return false }
        let isKnown = selected.updating.contains { $0.client == tag }
        let canTell = ([extensions.results, extensions.context] + update.updateNeeds)
            .allSatisfy { self.has($0, in: selected.account) }
        guard canTell, !isKnown, selected.updating.count < Self.maximumUpdatingSearches else {
            returns?.removeAll(where: \.isUpdate)
            self.emit(Reply.untagged(.noUpdate(tag: tag)))
            return false
        }
        return true
    }

    /// The server does not tell the changes of the search with this tag of the gateway's.
    mutating func updateRefused(_ tag: ByteBuffer, account: AccountID) {
        if case .forwarding(let forwarding) = self.running, forwarding.account == account,
            forwarding.updateRefused(tag, in: &self)
        {
            return
        }
        guard let selected = self.selected, selected.account == account,
            let index = selected.updating.firstIndex(where: { $0.upstream == tag })
        else { return }
        self.selected?.updating.remove(at: index)
        self.emit(Reply.untagged(.noUpdate(tag: selected.updating[index].client)))
    }

    mutating func cancelUpdate(
        _ tagged: TaggedCommand,
        tags: [ByteBuffer],
        selected: SelectedMailbox
    ) {
        var upstreamTags: [ByteBuffer] = []
        for canceled in tags {
            guard let known = selected.updating.first(where: { $0.client == canceled }) else {
                return self.finish(tagged.tag, text: .badSyntax)
            }
            upstreamTags.append(known.upstream)
        }
        self.selected?.updating.removeAll { tags.contains($0.client) }
        self.forward(tagged, to: selected.account) { encoder in
            encoder.write(word: "CANCELUPDATE")
            for upstreamTag in upstreamTags {
                encoder.write(quoted: Array(upstreamTag.readableBytesView))
            }
        }
    }
}
