import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The counts that a LIST with `RETURN (STATUS)` asks for (RFC 5819).
extension ClientSession {
    mutating func listingStatusReceived(
        _ status: StatusResponse,
        folder: FolderPath,
        from account: AccountID
    ) throws(SyntaxError) {
        try self.countListed(status.mailbox.readableBytes, from: account)
        var status = status
        // Octets of its own: a slice would keep the whole response.
        status.mailbox = ByteBuffer(bytes: status.mailbox.readableBytesView)
        if case .listing(let listing) = self.running, let items = listing.list.returnsStatus,
            items.contains(.highestModSeq), !self.has("CONDSTORE", in: account)
        {
            status.setNoModSeq(in: items)
        }
        self.collect(of: account) { part in part.counts.updateValue(status, forKey: folder) }
    }

    /// STATUS as a part of LIST is asked folder by folder, where the user may read (RFC 5819 §2).
    mutating func beginCounts(_ listing: Listing, part: inout Listing.Part) {
        guard listing.list.returnsStatus != nil else {
            part.step = .complete
            return
        }
        part.uncounted = part.folders.count
        part.step = .counts
        self.countNext(listing, part: &part)
    }

    mutating func countNext(_ listing: Listing, part: inout Listing.Part) {
        let account = part.view.account
        guard let items = listing.list.returnsStatus, self.upstreams[account] != nil else {
            part.step = .failed
            return
        }
        part.counting = nil
        var octets = ListAnswer.octetsPerPiece
        while part.uncounted > 0, part.asked < Listing.maximumCounts {
            guard octets > 0 else { return self.yieldLoop() }
            part.uncounted -= 1
            octets -= ListAnswer.octetsOfName
            guard let folder = part.folders.path(at: part.uncounted) else { continue }
            octets -= folder.octets.count * listing.patternCost
            guard self.isCounted(folder, at: part.uncounted, listing: listing, part: part),
                let name = self.upstreams[account]?.names.name(of: folder)
            else { continue }
            part.counting = folder
            part.asked += 1
            let asked = self.items(
                of: Status(mailbox: ClientMailbox(wire: name), items: items),
                in: account
            )
            guard !asked.items.isEmpty else { break }
            var encoder = self.encoder(for: account)
            asked.encode(into: &encoder, mailbox: name)
            return self.send(encoder, for: &part)
        }
        part.step = .complete
    }

    private mutating func isCounted(
        _ folder: FolderPath,
        at index: Int,
        listing: Listing,
        part: Listing.Part
    ) -> Bool {
        guard !part.aliases.contains(folder),
            self.rights(in: folder, of: part.view.account).contains([.lookup, .read]),
            !part.folders.attributes(at: index).contains(where: { $0.equals(word: "\\Noselect") })
        else { return false }
        let name = self.namespace.name(of: folder, in: part.view)
        return listing.patterns.contains { $0.matches(name) }
    }

    mutating func continueCounting(_ listing: Listing) {
        let waiting = listing.parts.filter { $0.step == .counts && $0.counting == nil }
        guard !waiting.isEmpty else { return }
        for part in waiting where self.upstreams[part.view.account]?.isIdle ?? false {
            self.updatePart(of: part.view.account) { $0.countNext($1, part: &$2) }
        }
        self.completeListing()
    }
}
