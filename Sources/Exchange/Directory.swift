/// The organisation's recipients, to be found by whatever Exchange calls them.
struct Directory {
    enum Finding: Equatable {
        /// An index into ``recipients``.
        case one(Int)
        case none
        case several
    }

    let recipients: [PermissionsDocument.Recipient]
    private var sids: [String: Set<Int>] = [:]
    private var guids: [String: Set<Int>] = [:]
    private var addresses: [String: Set<Int>] = [:]
    private var names: [String: Set<Int>] = [:]

    init(_ recipients: [PermissionsDocument.Recipient]) {
        self.recipients = recipients
        for (index, recipient) in recipients.enumerated() {
            for sid in recipient.sids { self.sids[Self.key(sid), default: []].insert(index) }
            for guid in recipient.guids { self.guids[Self.guid(guid), default: []].insert(index) }
            for address in recipient.addresses {
                guard let address = Self.address(address) else { continue }
                self.addresses[address, default: []].insert(index)
            }
            for name in recipient.names { self.names[Self.key(name), default: []].insert(index) }
        }
    }

    /// Everything that the source knew about a principal must point at one recipient; its name
    /// alone counts only where nothing better is known, and only if one recipient has it.
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
        if found.isEmpty, let match = self.names[Self.key(principal.name)] { found.append(match) }
        let all = found.reduce(into: Set<Int>()) { $0.formUnion($1) }
        guard let first = all.first else { return .none }
        return all.count == 1 ? .one(first) : .several
    }

    func member(_ guid: String) -> Finding {
        guard let found = self.guids[Self.guid(guid)], let first = found.first else { return .none }
        return found.count == 1 ? .one(first) : .several
    }

    // MARK: - Spellings

    private static func key(_ text: String) -> String { text.lowercased() }

    private static func guid(_ text: String) -> String {
        text.lowercased().filter { $0 != "{" && $0 != "}" }
    }

    /// `SMTP:kim@contoso.example` and `kim@contoso.example`; nil for what is no mail address.
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
        return text.lowercased()
    }
}
