import Access

import struct Foundation.UUID

/// The organization's recipients, indexed by every name that Exchange uses for them.
struct Directory {
    /// The result of a lookup.
    enum Finding: Equatable {
        /// An index into ``recipients``.
        case one(Int)
        case none
        case several
    }

    let recipients: [PermissionsDocument.Recipient]
    private let isWhole: Bool
    private var sids: [String: Set<Int>] = [:]
    private var guids: [String: Set<Int>] = [:]
    private var addresses: [String: Set<Int>] = [:]
    private var names: [ExactText: Set<Int>] = [:]

    /// - Parameter isWhole: whether the list contains every recipient. Otherwise a missing
    ///   recipient could have the same name.
    init(_ recipients: [PermissionsDocument.Recipient], isWhole: Bool) {
        self.recipients = recipients
        self.isWhole = isWhole
        for (index, recipient) in recipients.enumerated() {
            for sid in recipient.sids { self.sids[Self.key(sid), default: []].insert(index) }
            for guid in recipient.guids { self.guids[Self.guid(guid), default: []].insert(index) }
            for address in recipient.addresses {
                guard let address = Self.address(address) else { continue }
                self.addresses[address, default: []].insert(index)
            }
            for name in recipient.names {
                self.names[ExactText(Self.key(name)), default: []].insert(index)
            }
        }
    }

    /// Finds the recipient of a principal.
    ///
    /// SID, GUID and addresses of the principal must all belong to one recipient. A display name
    /// counts only if nothing else is known, the directory is complete, one recipient has the name,
    /// and that recipient has no other SID.
    func find(_ principal: PermissionsDocument.Principal) -> Finding {
        var found: [Set<Int>] = []
        for key in [principal.sid, principal.name] {
            if let match = key.flatMap({ self.sids[Self.key($0)] }) { found.append(match) }
        }
        for key in [principal.guid, principal.name] {
            if let match = key.flatMap({ self.guids[Self.guid($0)] }) { found.append(match) }
        }
        for key in [principal.address, principal.name] {
            if let match = key.flatMap(Self.address).flatMap({ self.addresses[$0] }) {
                found.append(match)
            }
        }
        if found.isEmpty, let match = self.called(principal) { found.append(match) }
        let all = found.reduce(into: Set<Int>()) { $0.formUnion($1) }
        guard let first = all.first else { return .none }
        return all.count == 1 ? .one(first) : .several
    }

    /// The recipients with a principal's name, if the name is all that identifies it.
    private func called(_ principal: PermissionsDocument.Principal) -> Set<Int>? {
        let name = principal.name
        let isName =
            !name.isEmpty && Self.address(name) == nil && !name.uppercased().hasPrefix("S-1-")
            && UUID(uuidString: Self.guid(name)) == nil
        guard self.isWhole, isName, principal.guid == nil, principal.address == nil,
            let match = self.names[ExactText(Self.key(name))]
        else { return nil }
        guard let sid = principal.sid else { return match }
        // A different SID belongs to an earlier holder of the name.
        let knowsSID = match.contains { !self.recipients[$0].sids.isEmpty }
        return knowsSID && !match.contains { self.has($0, sid: sid) } ? nil : match
    }

    private func has(_ index: Int, sid: String) -> Bool {
        self.recipients[index].sids.contains { Self.key($0) == Self.key(sid) }
    }

    /// Finds a group's member by its GUID.
    func member(_ guid: String) -> Finding {
        guard let found = self.guids[Self.guid(guid)], let first = found.first else { return .none }
        return found.count == 1 ? .one(first) : .several
    }

    // MARK: - Normalization

    private static func key(_ text: String) -> String { text.lowercased() }

    private static func guid(_ text: String) -> String {
        text.lowercased().filter { $0 != "{" && $0 != "}" }
    }

    /// The address in `SMTP:kim@contoso.example` or `kim@contoso.example`; nil for other texts.
    static func address(_ text: String) -> String? {
        var text = text[...]
        if let colon = text.firstIndex(of: ":") {
            guard text[..<colon].lowercased() == "smtp" else { return nil }
            text = text[text.index(after: colon)...]
        }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !text.contains("\\") else {
            return nil
        }
        return self.folded(String(text))
    }

    /// ASCII letters in lower case, as addresses and logins are compared. Letters outside ASCII
    /// that look like them do not change.
    static func folded(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 0x20 : $0 }, as: UTF8.self)
    }
}
