import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Assigns responses of the servers to commands of the client.
extension ClientSession {
    /// Replaces the gateway's tag in an ESEARCH response by the client's (RFC 4731 §3.1).
    ///
    /// - Parameter isExpected: whether the running command expects an ESEARCH response. If so, a
    ///   response with an unknown tag is part of its answer, which is then incomplete.
    /// - Returns: false if the response belongs to no command and has to be withheld.
    /// - Throws: an error if the response does not parse and no command expects it.
    mutating func correlate(
        _ piece: inout ResponseReader.Piece,
        account: AccountID,
        isExpected: Bool
    ) throws(SyntaxError) -> Bool {
        let head: EsearchHead
        do {
            head = try EsearchHead(piece.octets)
        } catch {
            guard isExpected else { throw error }
            self.answerUnreadable(piece.octets, from: account)
            return false
        }
        guard let clientTag = self.clientTag(of: head.tag, account: account, isExpected: isExpected)
        else {
            if isExpected { self.answerUnreadable(piece.octets, from: account) }
            return false
        }
        var rest = piece.octets
        rest.moveReaderIndex(forwardBy: head.restOffset)
        piece.octets = Reply.esearchHead(tag: clientTag)
        piece.octets.writeBuffer(&rest)
        return true
    }

    /// The client's tag of the search with a server's tag: the running search, or one that the
    /// server keeps up to date (RFC 5267). A response without a tag belongs to the running search.
    private func clientTag(
        of tag: ByteBuffer?,
        account: AccountID,
        isExpected: Bool
    ) -> ByteBuffer? {
        if isExpected, case .forwarding(let forwarding) = self.running, forwarding.results == nil,
            tag == nil || tag == self.upstreams[account]?.inFlight
        {
            return forwarding.tag
        }
        guard self.selected?.account == account else { return nil }
        return self.selected?.updating.first { $0.upstream == tag }?.client
    }

    /// The kinds of untagged data that the command running at this account's server expects.
    func expected(from account: AccountID) -> DataKinds {
        guard case .forwarding(let forwarding) = self.running, forwarding.account == account else {
            return []
        }
        return forwarding.expected
    }
}
