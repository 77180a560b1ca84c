import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The STATUS responses of a LIST with `RETURN (STATUS)` (RFC 5819).
extension Listing {
    /// Stores the STATUS of a folder.
    func counted(
        _ status: StatusResponse,
        of folder: FolderPath,
        part: ListingPart,
        in context: inout some CommandContext
    ) {
        var status = status
        // A copy, because a slice would keep the whole response in memory.
        status.mailbox = ByteBuffer(bytes: status.mailbox.readableBytesView)
        if let items = self.request.list.returnsStatus, items.contains(.highestModSeq),
            !context.has("CONDSTORE", in: part.account)
        {
            status.setNoModSeq(in: items)
        }
        part.counts.updateValue(status, forKey: folder)
    }

    /// Begins to send STATUS for each listed folder that the user may read (RFC 5819 §2). Without `RETURN (STATUS)`,
    /// the part is complete.
    func beginCounts(_ part: ListingPart, in context: inout some CommandContext) {
        guard self.request.list.returnsStatus != nil else {
            part.step = .complete
            return
        }
        part.uncounted = part.folders.count
        part.step = .counts
        self.countNext(part, in: &context)
    }

    /// Sends STATUS for the next folder. After a bounded search without a match, yields the event loop.
    func countNext(_ part: ListingPart, in context: inout some CommandContext) {
        let account = part.account
        guard let items = self.request.list.returnsStatus,
            let names = context.upstream(of: account)?.names
        else {
            part.step = .failed
            return
        }
        part.counting = nil
        var octets = ListAnswer.octetsPerPiece
        while part.uncounted > 0, part.asked < ListLimits.counts {
            guard octets > 0 else { return context.yieldLoop() }
            part.uncounted -= 1
            octets -= ListAnswer.octetsOfName
            guard let folder = part.folders.path(at: part.uncounted) else { continue }
            octets -= folder.octets.count * self.request.patternCost
            guard self.isCounted(folder, at: part.uncounted, part: part, in: &context),
                let name = names.name(of: folder)
            else { continue }
            part.counting = folder
            part.asked += 1
            let asked = context.items(
                of: Status(mailbox: ClientMailbox(wire: name), items: items),
                in: account
            )
            guard !asked.items.isEmpty else { break }
            var encoder = context.encoder(for: account)
            asked.encode(into: &encoder, mailbox: name)
            return self.send(encoder, for: part, in: &context)
        }
        part.step = .complete
    }

    /// Whether the client gets counts of a folder: it is a readable mailbox, and a pattern matches its name.
    private func isCounted(
        _ folder: FolderPath,
        at index: Int,
        part: ListingPart,
        in context: inout some CommandContext
    ) -> Bool {
        guard !part.aliases.contains(folder), context.mayRead(folder, of: part.account),
            !part.folders.attributes(at: index).contains(where: { $0.equals(word: "\\Noselect") })
        else { return false }
        let name = context.namespace.name(of: folder, in: part.view)
        return self.request.patterns.contains { $0.matches(name) }
    }

    /// Continues the search for the next folder after ``countNext(_:in:)`` has yielded the event loop.
    func resumeCounting(in context: inout some CommandContext) {
        let waiting = self.parts.filter { $0.step == .counts && $0.counting == nil }
        guard !waiting.isEmpty else { return }
        for part in waiting where context.upstream(of: part.account)?.isIdle ?? false {
            self.countNext(part, in: &context)
        }
        self.complete(in: &context)
    }
}
