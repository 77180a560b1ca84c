/// Who a message says it is from: every field that a reader may show as its author.
package struct Authors: Equatable, Sendable {
    /// Octets of all these fields together. Each is read several times over; a From with the 64 mailboxes
    /// that one may have takes less.
    private static let maximumOctets = 16 * 1_024

    package var from: [Mailbox]
    package var sender: Mailbox?
    /// Of every Resent-From and Resent-Sender.
    package var resent: [Mailbox] = []
    /// In the order of the header.
    var signatures: [ClientSignature] = []

    /// - Parameters:
    ///   - isInternational: whether octets outside ASCII are allowed (RFC 6532).
    ///   - own: the user's addresses, which a display name may show, with ASCII in lower case.
    package init(
        _ header: Header,
        isInternational: Bool,
        own: [[UInt8]] = []
    ) throws(Header.Fault) {
        self.from = []
        var octets = 0
        for field in header.fields where Self.names.contains(field.name) {
            octets += field.body.count
            guard octets <= Self.maximumOctets else { throw .tooLarge }
            do throws(AddressFault) {
                guard !field.hasLongLine else { throw .longLine }
                let mailboxes = try AddressParser.mailboxes(
                    field.body,
                    isInternational: isInternational,
                    own: own
                )
                try self.take(mailboxes, of: field)
            } catch {
                throw .malformedAddress(field.name, error)
            }
        }
        guard !self.from.isEmpty else { throw .missingFrom }
    }

    private static let names: Set<String> = ["from", "sender", "resent-from", "resent-sender"]

    private mutating func take(
        _ mailboxes: [Mailbox],
        of field: Header.Field
    ) throws(AddressFault) {
        if let name = SignatureField.Name(lowercased: field.name) {
            guard mailboxes.count == 1 else { throw .malformed }
            self.signatures.append(
                ClientSignature(name: name, field: field, mailbox: mailboxes[0])
            )
        }
        switch field.name {
        case "from": self.from = mailboxes
        case "sender": self.sender = mailboxes.first
        default: self.resent += mailboxes
        }
    }
}
