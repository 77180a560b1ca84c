import Access
import IMAP

import struct NIOCore.ByteBuffer

/// To which command of the client a response belongs.
extension ClientSession {
    /// Puts the client's tag where an ESEARCH response names the gateway's (RFC 4731 §3.1).
    ///
    /// - Parameter isExpected: whether the command that runs asks for one. Then one that belongs to
    ///   nothing is this command's, and is missing in the answer.
    /// - Returns: false when the response belongs to no command that runs.
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
        guard let clientTag = self.clientTag(of: head.tag, account, isExpected: isExpected) else {
            if isExpected { self.answerUnreadable(piece.octets, from: account) }
            return false
        }
        var rest = piece.octets
        rest.moveReaderIndex(forwardBy: head.restOffset)
        piece.octets = Reply.esearchHead(tag: clientTag)
        piece.octets.writeBuffer(&rest)
        return true
    }

    /// The client's tag of the search that a server's tag stands for: the one that runs, or one
    /// whose changes are told. A response without a tag is the answer to the one that runs.
    private func clientTag(
        of tag: ByteBuffer?,
        _ account: AccountID,
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

    func expected(from account: AccountID) -> DataKinds {
        guard case .forwarding(let forwarding) = self.running, forwarding.account == account else {
            return []
        }
        return forwarding.expected
    }
}
