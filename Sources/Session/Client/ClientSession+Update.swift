import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Searches that the server keeps up to date until the mailbox is deselected (RFC 5267).
extension ClientSession {
    /// Searches that are kept up to date at the same time. A client shows one or two, and each
    /// costs the server work whenever a message changes.
    private static let maximumUpdatingSearches = 16

    /// Whether a search asks for updates and can have them. Above the limit, or at a server without
    /// the capability, the search runs without updates and the client gets NOUPDATE (RFC 5267
    /// §4.3.1).
    ///
    /// - Parameter returns: the return options; UPDATE is removed if it is not possible.
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

    /// The server has sent NOUPDATE with a tag of the gateway: it does not send updates of that
    /// search.
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

    /// CANCELUPDATE (RFC 5267 §4.3.2) with the gateway's tags in place of the client's. An unknown
    /// tag is answered BAD.
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
