package import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// Responses of the servers: each is passed to the client, parsed by the gateway, or withheld.
extension ClientSession {
    /// Octets have arrived from an account's server.
    package mutating func upstreamOctetsReceived(
        _ account: AccountID,
        octets: ByteBuffer,
        at now: Moment
    ) {
        self.now = now
        self.upstreams[account]?.reader.receive(octets)
        self.readUpstream(account)
        self.readClient()
    }

    /// Processes a piece of a response. The first piece decides about the whole response.
    ///
    /// - Throws: an error if the server broke the protocol.
    mutating func pieceReceived(
        _ received: ResponseReader.Piece,
        from account: AccountID
    ) throws(SyntaxError) {
        var piece = received
        if piece.isFirst {
            let head = try ResponseHead(piece.octets)
            guard let disposition = try self.disposition(of: head, piece: &piece, from: account)
            else {
                return
            }
            if piece.isLast, case .pass = disposition { return self.pass(piece, account: account) }
            self.upstreams[account]?.disposition = disposition
        }
        switch self.upstreams[account]?.disposition {
        case .pass:
            self.pass(piece, account: account)
        case .collect(var collector):
            // Only one reference may hold the collector, or each piece would copy those before it.
            self.upstreams[account]?.disposition = .withhold
            let response = try collector.add(piece)
            self.upstreams[account]?.disposition = .collect(collector)
            if let response { try self.collectedReceived(response, from: account) }
        case .rename(var renamer):
            if piece.kind == .line { piece.octets = renamer.rename(piece.octets) }
            self.upstreams[account]?.disposition = .rename(renamer)
            self.pass(piece, account: account)
        case .numbers:
            guard case .forwarding(let forwarding) = self.running else { return }
            try forwarding.numbersReceived(piece)
        case .transfer:
            if case .transferring(let transferring) = self.running {
                transferring.pieceReceived(piece, in: &self)
            }
        case .withhold, .none:
            break
        }
    }

    /// Passes a piece to the client. After the last piece, the lines that had to wait follow.
    private mutating func pass(_ piece: ResponseReader.Piece, account: AccountID) {
        // Two servers' responses cannot be passed on at the same time: the client would read one
        // inside the other.
        guard self.passing == nil || self.passing == account else { return self.end(nil) }
        self.actions.sendToClient(piece.octets)
        if piece.isLast {
            guard self.passing != nil else { return }
            self.passing = nil
            for octets in self.held { self.actions.sendToClient(octets) }
            self.held = []
            if self.revoking == account { self.revoke(account) }
        } else {
            self.passing = account
        }
    }

    /// Decides about a response by its first piece.
    ///
    /// - Parameter piece: rewritten if the client must see other octets.
    /// - Returns: nil if the response has been processed.
    /// - Throws: an error if the response is not valid at this point.
    private mutating func disposition(
        of head: ResponseHead,
        piece: inout ResponseReader.Piece,
        from account: AccountID
    ) throws(SyntaxError) -> Upstream.Disposition? {
        switch head {
        case .tagged(let tag, _, _)
        where piece.isLast && tag == self.upstreams[account]?.identification:
            self.upstreams[account]?.identification = nil
            return nil
        case .tagged(let tag, let condition, let text):
            guard piece.isLast, tag == self.upstreams[account]?.inFlight else {
                throw SyntaxError(.malformedTag, at: 0)
            }
            try self.completionReceived(account, condition: condition, text: text)
            return nil
        case .continuation:
            try self.continuationReceived(account)
            return nil
        case .status(let condition, let text):
            try self.statusReceived(account, condition: condition, text: text)
            return nil
        case .numbered(_, .fetch):
            if case .transferring(let transferring) = self.running,
                transferring.plan.source == account
            {
                if case .listing = transferring.step { return .collect(ResponseCollector()) }
                if try transferring.receives(piece, in: &self) { return .transfer }
            }
            self.auditFetched(piece, from: account)
            return self.disposition(ofNumbered: .fetch, account: account)
        case .numbered(let number, let kind):
            if let line = kind.line(number) { piece.octets = line }
            return self.disposition(ofNumbered: kind, account: account)
        case .data(let kind):
            return try self.disposition(of: kind, piece: &piece, account: account)
        }
    }

    /// Decides about EXISTS, RECENT, EXPUNGE or FETCH: passed on only if it is about the selected
    /// mailbox.
    private mutating func disposition(
        ofNumbered kind: NumberedKind,
        account: AccountID
    ) -> Upstream.Disposition {
        guard self.isSelectedOrSelecting(account) else { return .withhold }
        if kind == .expunge { self.messageExpunged() }
        if kind == .fetch, case .forwarding(let forwarding) = self.running,
            forwarding.renamesItems
        {
            return .rename(FetchItemRenamer())
        }
        return .pass
    }

    /// A message was removed. Message numbers in a command that waits may mean other messages now.
    private mutating func messageExpunged() {
        if case .preparing = self.running { self.hasExpungedMeanwhile = true }
    }

    /// Whether responses of this server are about the mailbox that the client has selected or is
    /// selecting.
    private func isSelectedOrSelecting(_ account: AccountID) -> Bool {
        if case .selecting(let selecting) = self.running { return selecting.account == account }
        return self.selected?.account == account
    }

    /// Decides about untagged data by its row of the response table.
    private mutating func disposition(
        of kind: DataKind,
        piece: inout ResponseReader.Piece,
        account: AccountID
    ) throws(SyntaxError) -> Upstream.Disposition {
        let isExpected = self.expected(from: account).contains(kind)
        switch kind.treatment {
        case .passed:
            guard isExpected else { return .withhold }
            return self.collectsResults ? .numbers : .pass
        case .correlated:
            guard isExpected || self.isSelectedOrSelecting(account) else { return .withhold }
            return try self.correlate(&piece, account: account, isExpected: isExpected)
                ? .pass : .withhold
        case .vanished:
            guard self.isSelectedOrSelecting(account) else { return .withhold }
            self.messageExpunged()
            return .pass
        case .collected(let data):
            return isExpected || self.collects(data, from: account)
                ? .collect(ResponseCollector()) : .withhold
        case .withheld:
            return .withhold
        }
    }

    /// Whether the gateway needs data that the running command does not expect.
    private func collects(_ data: CollectedData, from account: AccountID) -> Bool {
        switch data {
        case .flags:
            return self.isSelectedOrSelecting(account)
        case .list, .lsub, .status:
            if self.upstreams[account]?.housekeeping == .folders { return true }
            switch self.running {
            case .listing, .transferring: return true
            default: return self.watching != nil
            }
        case .quota, .quotaRoot:
            return false
        }
    }
}
