import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Responses that are read whole before the client is sent anything of them.
extension ClientSession {
    /// The code of an untagged status response. Where UIDVALIDITY of a mailbox that is being selected
    /// cannot be read, nobody knows what its UIDs mean, and it is not opened.
    mutating func code(in text: ByteBuffer, from account: AccountID) -> ResponseCode? {
        do {
            return try ResponseText(text).code
        } catch {
            if case .selecting(let selecting) = self.running, selecting.account == account,
                Quirks.isUIDValidity(text)
            {
                self.answerUnreadable(text, from: account)
            }
            return nil
        }
    }

    /// A response that the gateway reads has arrived whole.
    mutating func collectedReceived(
        _ response: ByteBuffer,
        from account: AccountID
    ) throws(SyntaxError) {
        guard case .data(let kind) = try ResponseHead(response) else {
            guard case .transferring(let transferring) = self.running else { return }
            return try self.transferListed(transferring, response: response)
        }
        do {
            try self.collected(kind, response: response, from: account)
        } catch {
            guard !error.reason.isSize else { throw error }
            try self.responseUnreadable(kind, response: response, from: account, error: error)
        }
    }

    private mutating func collected(
        _ kind: DataKind,
        response: ByteBuffer,
        from account: AccountID
    ) throws(SyntaxError) {
        switch kind {
        case .flags:
            try self.flagsReceived(response)
        case .status:
            try self.statusReceived(response, from: account)
        case .quota:
            self.emit(try QuotaResponse(response).encoded)
        case .quotaRoot:
            guard case .forwarding(let forwarding) = self.running,
                let mailbox = forwarding.mailbox
            else { return }
            var roots = try QuotaRootResponse(response)
            roots.mailbox = mailbox
            self.emit(roots.encoded)
        case .list, .lsub:
            let list = try ListResponse(response)
            guard !self.profileContradicted(by: list, from: account) else { return }
            if self.upstreams[account]?.housekeeping == .folders {
                return try self.folderListed(list, octets: response.readableBytes, by: account)
            }
            if case .transferring(let transferring) = self.running,
                case .lookingForTarget = transferring.step, transferring.plan.target == account
            {
                return self.targetListed(transferring, list: list)
            }
            guard case .listing = self.running else {
                return self.mailboxChanged(list, from: account)
            }
            try self.listingReceived(
                list,
                octets: response.readableBytes,
                isLsub: kind == .lsub,
                from: account
            )
        default:
            break
        }
    }

    private mutating func flagsReceived(_ response: ByteBuffer) throws(SyntaxError) {
        let flags = try FlagsResponse(response)
        if case .selecting(var selecting) = self.running {
            selecting.flags = flags.flags
            self.running = .selecting(selecting)
        } else {
            self.selected?.flags = flags.flags
        }
        self.emit(Reply.flags(flags.flags))
    }

    private mutating func statusReceived(
        _ response: ByteBuffer,
        from account: AccountID
    ) throws(SyntaxError) {
        var status = try StatusResponse(response)
        if self.upstreams[account]?.folderListing != nil, status.mailboxIdentifier != nil {
            return try self.folderIdentified(status, by: account)
        }
        guard let folder = self.upstreams[account]?.names.folder(named: status.mailbox) else {
            if case .forwarding(let forwarding) = self.running, forwarding.account == account,
                forwarding.expected.contains(.status)
            {
                self.answerUnreadable(response, from: account)
            }
            return
        }
        if case .forwarding(let forwarding) = self.running, forwarding.account == account,
            forwarding.folder == folder, let mailbox = forwarding.mailbox
        {
            guard self.mayRead(folder, of: account) else { return }
            status.mailbox = mailbox
            if let items = forwarding.statusItems { status.setNoModSeq(in: items) }
            return self.emit(status.encoded)
        }
        if case .transferring(let transferring) = self.running, transferring.plan.target == account,
            transferring.plan.targetFolder == folder, case .askingUIDNext = transferring.step
        {
            transferring.counted(status)
            // What a server tells by itself has more in it.
            if Set(status.items.map(\.item)).isSubset(of: [.uidNext, .uidValidity]) { return }
        }
        if self.upstreams[account]?.housekeeping == .poll {
            return self.polledStatusReceived(status, of: folder, in: account)
        }
        // The listing is held once when it grows, or each line would copy all that came before it.
        switch self.listingStatus(status, of: folder, in: account) {
        case .identifier(let identifier):
            try self.listingIdentified(identifier, folder: folder, from: account)
        case .counts:
            try self.listingStatusReceived(status, folder: folder, from: account)
        case .news:
            self.countsChanged(status, folder: folder, account: account)
        }
    }

    /// What a STATUS response is while a LIST may run.
    private enum ListingStatus {
        case identifier(ByteBuffer)
        case counts
        case news
    }

    private func listingStatus(
        _ status: StatusResponse,
        of folder: FolderPath,
        in account: AccountID
    ) -> ListingStatus {
        guard case .listing(let listing) = self.running else { return .news }
        if let identifier = status.mailboxIdentifier, listing.identifies(account) {
            return .identifier(identifier)
        }
        return listing.counts(folder, of: account) ? .counts : .news
    }
}
