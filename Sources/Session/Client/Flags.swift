import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The rights that flags need: `t` for `\Deleted`, `s` for `\Seen`, `w` for every other flag (RFC
/// 4314 §4).
enum Flags {
    /// The right that is needed to change a flag.
    static func right(for flag: Flag) -> Rights {
        switch flag {
        case .seen: .seen
        case .deleted: .deleteMessages
        case .answered, .flagged, .draft, .keyword: .write
        }
    }

    /// The right that is needed to change a flag.
    /// - Parameter flag: wire octets, as a server lists them; `\*` means any keyword.
    /// - Returns: nil for `\Recent`, which no client can set.
    static func right(for flag: ByteBuffer) -> Rights? {
        if flag.equals(word: "\\Seen") { return .seen }
        if flag.equals(word: "\\Deleted") { return .deleteMessages }
        return flag.equals(word: "\\Recent") ? nil : .write
    }

    /// The flags of PERMANENTFLAGS that the user may change (RFC 4314 §5.1.1).
    static func permanent(_ flags: [ByteBuffer], rights: Rights) -> [ByteBuffer] {
        flags.filter { self.right(for: $0).map(rights.contains) ?? false }
    }

    /// The flags of a list that the user may set. The others are omitted without an error.
    static func permitted(_ flags: [Flag], rights: Rights) -> [Flag] {
        flags.filter { rights.contains(self.right(for: $0)) }
    }

    /// The commands that execute a STORE with these rights: none, one or two.
    ///
    /// A STORE that replaces all flags, by a user who may change only some, becomes two commands:
    /// one removes the permitted flags that are not named, and one adds those that are named.
    /// UNCHANGEDSINCE makes that impossible, because the first command changes the mod-sequences
    /// that the second one compares.
    ///
    /// - Parameter known: the flags of the mailbox, as its server listed them.
    /// - Returns: no command if the user may change none of the flags.
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

    /// The two steps of a replacement. The first one asks for no FETCH responses; the second one
    /// asks for them if the client does.
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

    /// Parses the listed flags; `\*` and `\Recent` are omitted.
    private static func flags(in known: [ByteBuffer]) -> [Flag] {
        known.compactMap { Flag($0) }
    }
}
