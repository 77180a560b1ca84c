import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Responses that the gateway collects and parses as a whole before it sends the client anything of
/// them.
extension ClientSession {
    /// The response code of an untagged status response; nil if it cannot be parsed. If UIDVALIDITY
    /// of a mailbox that is being selected cannot be parsed, the meaning of its UIDs is unknown,
    /// and the SELECT fails.
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

    /// A collected response is complete.
    ///
    /// - Throws: an error that ends the connection to the server.
    mutating func collectedReceived(
        _ response: ByteBuffer,
        from account: AccountID
    ) throws(SyntaxError) {
        guard case .data(let kind) = try ResponseHead(response) else {
            _ = try self.deliver(.untagged(.fetch(response)), from: account)
            return
        }
        guard case .collected(let data) = kind.treatment else { return }
        do {
            try self.collected(data, response: response, from: account)
        } catch {
            guard !error.reason.isSize else { throw error }
            try self.responseUnreadable(data, response: response, from: account, error: error)
        }
    }

    /// Parses a response by its kind, and delivers it to the running command or to NOTIFY.
    ///
    /// - Throws: an error if the response does not parse or exceeds a limit.
    private mutating func collected(
        _ data: CollectedData,
        response: ByteBuffer,
        from account: AccountID
    ) throws(SyntaxError) {
        switch data {
        case .flags:
            try self.flagsReceived(response, from: account)
        case .status:
            try self.statusReceived(response, from: account)
        case .quota:
            self.emit(try QuotaResponse(response).encoded)
        case .quotaRoot:
            let roots = try QuotaRootResponse(response)
            _ = try self.deliver(.untagged(.quotaRoot(roots)), from: account)
        case .list, .lsub:
            let list = try ListResponse(response)
            guard !self.profileContradicted(by: list, from: account) else { return }
            if self.upstreams[account]?.housekeeping == .folders {
                return try self.folderListed(list, octets: response.readableBytes, by: account)
            }
            let event = UntaggedResponse.list(
                list,
                octets: response.readableBytes,
                isLsub: data == .lsub
            )
            guard try !self.deliver(.untagged(event), from: account) else { return }
            self.mailboxChanged(list, from: account)
        }
    }

    /// FLAGS (RFC 9051 §7.3.5): the flags of the selected mailbox.
    private mutating func flagsReceived(
        _ response: ByteBuffer,
        from account: AccountID
    ) throws(SyntaxError) {
        let flags = try FlagsResponse(response)
        guard try !self.deliver(.untagged(.flags(flags.flags)), from: account) else { return }
        self.selected?.flags = flags.flags
        self.emit(Reply.flags(flags.flags))
    }

    /// STATUS (RFC 9051 §7.3.4): an answer to the client, to the gateway's LIST with mailbox
    /// identifiers, to a poll, or an event of a watched mailbox.
    private mutating func statusReceived(
        _ response: ByteBuffer,
        from account: AccountID
    ) throws(SyntaxError) {
        let status = try StatusResponse(response)
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
        guard try !self.deliver(.untagged(.counts(status, folder)), from: account) else { return }
        if self.upstreams[account]?.housekeeping == .poll {
            return self.polledStatusReceived(status, of: folder, in: account)
        }
        self.countsChanged(status, folder: folder, account: account)
    }
}
