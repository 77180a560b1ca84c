import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Which right each flag needs: `t` for `\Deleted`, `s` for `\Seen`, `w` for every other
/// (RFC 4314 §4).
enum Flags {
    static func right(for flag: Flag) -> Rights {
        switch flag {
        case .seen: .seen
        case .deleted: .deleteMessages
        case .answered, .flagged, .draft, .keyword: .write
        }
    }

    /// - Parameter flag: wire octets, as a server lists them; `\*` means any keyword.
    /// - Returns: nil for `\Recent`, which nobody sets.
    static func right(for flag: ByteBuffer) -> Rights? {
        if flag.equals(word: "\\Seen") { return .seen }
        if flag.equals(word: "\\Deleted") { return .deleteMessages }
        return flag.equals(word: "\\Recent") ? nil : .write
    }

    /// What the client may change for good, of what the server says (RFC 4314 §5.1.1).
    static func permanent(_ flags: [ByteBuffer], rights: Rights) -> [ByteBuffer] {
        flags.filter { self.right(for: $0).map(rights.contains) ?? false }
    }

    /// The flags of a list that the user may set; the others are dropped silently.
    static func permitted(_ flags: [Flag], rights: Rights) -> [Flag] {
        flags.filter { rights.contains(self.right(for: $0)) }
    }

    /// What a STORE becomes for a user with these rights: none, one or two commands.
    ///
    /// Replacing all flags with only some of the rights takes the permitted flags that are not
    /// named away and adds those that are. It cannot be had under UNCHANGEDSINCE, because the
    /// first half changes what the second would compare.
    ///
    /// - Parameter known: the mailbox's flags, as its server listed them.
    static func permitted(
        _ store: StoreFlags,
        rights: Rights,
        known: [ByteBuffer]
    ) -> [StoreFlags] {
        let all: Rights = [.seen, .deleteMessages, .write]
        guard !rights.isDisjoint(with: all) else { return [] }
        if rights.isSuperset(of: all) { return [store] }
        let named = self.permitted(store.flags, rights: rights)
        var step = store
        step.flags = named
        switch store.action {
        case .add, .remove:
            return named.isEmpty && !store.flags.isEmpty ? [] : [step]
        case .replace:
            guard store.unchangedSince == nil else { return [] }
            let names = Set(named)
            let absent = self.flags(in: known).filter {
                rights.contains(self.right(for: $0)) && !names.contains($0)
            }
            return self.replacing(step, with: named, withoutAny: absent)
        }
    }

    private static func replacing(
        _ store: StoreFlags,
        with named: [Flag],
        withoutAny absent: [Flag]
    ) -> [StoreFlags] {
        var removing = store
        removing.action = .remove
        removing.flags = absent
        var adding = store
        adding.action = .add
        adding.flags = named
        if absent.isEmpty { return named.isEmpty ? [] : [adding] }
        if named.isEmpty { return [removing] }
        removing.isSilent = true
        return [removing, adding]
    }

    private static func flags(in known: [ByteBuffer]) -> [Flag] {
        known.compactMap { Flag($0) }
    }
}
