import struct NIOCore.ByteBuffer

extension ResponseCode {
    /// Encodes the code in brackets and a space; nothing for an unknown code.
    func encode(into line: inout ByteBuffer) {
        guard self != .unknown else { return }
        line.writeStaticString("[")
        line.writeStaticString(self.name)
        self.encodeValue(into: &line)
        line.writeStaticString("] ")
    }

    private func encodeValue(into line: inout ByteBuffer) {
        switch self {
        case .capability(let names):
            for name in names { line.writeString(" \(name)") }
        case .permanentFlags(let flags):
            line.writeStaticString(" ")
            line.writeFlags(flags)
        case .uidNext(let value), .uidValidity(let value), .unseen(let value):
            line.writeString(" \(value)")
        case .highestModSeq(let value):
            line.writeString(" \(value)")
        case .badCharset:
            line.writeStaticString(" (US-ASCII UTF-8)")
        case .appendUID(let validity, let uids):
            line.writeString(" \(validity)")
            line.write(set: uids)
        case .copyUID(let validity, let source, let target):
            line.writeString(" \(validity)")
            line.write(set: source)
            line.write(set: target)
        case .modified(let set):
            line.write(set: set)
        case .mailboxID(let value):
            line.writeStaticString(" (")
            line.writeImmutableBuffer(value)
            line.writeStaticString(")")
        case .noUpdate(let tag):
            line.writeStaticString(" ")
            line.writeQuotedOrLiteral(tag)
        case .readOnly, .readWrite, .tryCreate, .uidNotSticky, .noModSeq, .closed, .unavailable,
            .authenticationFailed, .authorizationFailed, .expired, .privacyRequired, .contactAdmin,
            .noPerm, .inUse, .expungeIssued, .corruption, .serverBug, .clientBug, .cannot, .limit,
            .overQuota, .alreadyExists, .nonExistent, .notSaved, .hasChildren, .unknownCTE,
            .tooBig, .useAttr, .inProgress, .alert, .notificationOverflow, .unknown:
            break
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func write(set: SequenceSet) {
        self.writeStaticString(" ")
        self.writeImmutableBuffer(set.text)
    }
}
