package import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// Translates between a folder's path and its name on one server.
///
/// A path is decoded UTF-8 with the delimiter `/`. A server's name is modified UTF-7 with the
/// server's delimiter. If that is another octet, a component may contain `/`, which is written
/// `=2F` in the path; an `=` that would be read as an escape is written `=3D`. So the translation
/// is one to one. A name whose path does not translate back to it names no folder.
///
/// A component that is not modified UTF-7, or that clients cannot be given, is an
/// ``EscapedComponent``.
///
/// If the account's folders have a prefix on the server (``PersonalPrefix``), their paths have
/// none.
package struct UpstreamNames: Equatable, Sendable {
    private static let slash = UInt8(ascii: "/")
    private static let equals = UInt8(ascii: "=")

    private let delimiter: UInt8?
    private let personalPrefixes: [[UInt8]]
    private let foreignPrefixes: [[UInt8]]
    private let prefix: PersonalPrefix?

    /// - Parameter profile: the delimiter and namespaces of the server.
    package init(_ profile: UpstreamProfile) {
        self.delimiter = profile.delimiter
        self.personalPrefixes = profile.personalPrefixes
        self.foreignPrefixes = profile.foreignPrefixes
        self.prefix = PersonalPrefix(profile)
    }

    /// The server's name of a folder, in wire octets; nil if no folder there can have this path.
    package func name(of folder: FolderPath) -> ByteBuffer? {
        if Self.isEscaped(folder) { return self.escapedName(of: folder) }
        var decoded: [UInt8] = []
        for (index, component) in folder.octets.split(
            separator: Self.slash,
            omittingEmptySubsequences: false
        ).enumerated() {
            if index > 0 {
                guard let delimiter = self.delimiter else { return nil }
                decoded.append(delimiter)
            }
            guard let part = self.unescape(component) else { return nil }
            decoded.append(contentsOf: part)
        }
        let encoded = ModifiedUTF7.encode(decoded)
        guard EscapedComponent.isPresentable(decoded), let name = self.prefixed(encoded),
            self.isPersonal(name)
        else { return nil }
        return ByteBuffer(bytes: name)
    }

    /// The path of a folder with a server's name; nil if the name is not in the account's own
    /// namespace, or has no path.
    package func folder(named name: ByteBuffer) -> FolderPath? {
        let full = Array(name.readableBytesView)
        guard self.isPersonal(full), let octets = self.unprefixed(full) else { return nil }
        guard let decoded = ModifiedUTF7.decode(octets), EscapedComponent.isPresentable(decoded)
        else { return self.escapedFolder(named: octets, full: full) }
        let components: [ArraySlice<UInt8>]
        if let delimiter = self.delimiter {
            components = decoded.split(separator: delimiter, omittingEmptySubsequences: false)
        } else {
            components = [decoded[...]]
        }
        var path: [UInt8] = []
        for (index, component) in components.enumerated() {
            guard Self.isComponent(component) else { return nil }
            if index > 0 { path.append(Self.slash) }
            path.append(contentsOf: self.escape(component))
        }
        return FolderPath(octets: path)
    }

    /// The path of a folder, if the server lists it under exactly the name that the gateway would
    /// send. Nil for other names and for folders that are not the account's own. Only `INBOX` may
    /// be spelled in any case.
    package func folder(listedAs name: ByteBuffer) -> FolderPath? {
        guard let folder = self.folder(named: name), let own = self.name(of: folder),
            own == name || folder.isInbox
        else { return nil }
        return folder
    }

    /// Whether a component is valid: not empty, and not `.` or `..`, which the file system behind a
    /// server might interpret.
    private static func isComponent(_ octets: ArraySlice<UInt8>) -> Bool {
        let dot = UInt8(ascii: ".")
        return !octets.isEmpty && !octets.elementsEqual([dot]) && !octets.elementsEqual([dot, dot])
    }

    /// The namespace of a listed name.
    package enum NamespaceKind: Equatable, Sendable {
        /// The account's own namespace.
        case personal
        /// A namespace of mailboxes that the server itself shares.
        case foreign
        /// No namespace of the server.
        case unknown
    }

    /// The namespace of a name in wire octets.
    package func namespace(of name: ByteBuffer) -> NamespaceKind {
        let octets = Array(name.readableBytesView)
        if self.isPersonal(octets) { return .personal }
        let isForeign = self.foreignPrefixes.contains {
            $0.isEmpty || self.isBelow($0, name: octets)
        }
        // A server may list the prefix itself, without its delimiter, as a folder.
        let isAbove = self.personalPrefixes.contains { $0.dropLast().elementsEqual(octets) }
        return isForeign || isAbove ? .foreign : .unknown
    }

    /// Adds the account's prefix; nil for a name that has none.
    private func prefixed(_ name: [UInt8]) -> [UInt8]? {
        guard let prefix = self.prefix else { return name }
        return prefix.name(of: name)
    }

    /// Removes the account's prefix; nil for a name without it.
    private func unprefixed(_ name: [UInt8]) -> [UInt8]? {
        guard let prefix = self.prefix else { return name }
        return prefix.remainder(of: name)
    }

    /// Whether a name, in wire octets, is in a personal namespace and in no other one.
    private func isPersonal(_ name: [UInt8]) -> Bool {
        if name.map(\.asciiUppercased).elementsEqual("INBOX".utf8) { return true }
        let personal = self.personalPrefixes.contains { name.starts(with: $0) }
        return personal && !self.foreignPrefixes.contains { self.isBelow($0, name: name) }
    }

    /// Whether a name is in a namespace, in any case.
    private func isBelow(_ prefix: [UInt8], name: [UInt8]) -> Bool {
        guard !prefix.isEmpty else { return false }
        // Some servers ignore case, so every spelling of another namespace's name leads there.
        let folded = prefix.lazy.map(\.asciiUppercased)
        let name = name.lazy.map(\.asciiUppercased)
        return name.starts(with: folded) || name.elementsEqual(folded.dropLast())
    }

    // MARK: - A delimiter inside a component

    /// The component of a path for a decoded component of a name.
    private func escape(_ component: ArraySlice<UInt8>) -> [UInt8] {
        // The fast path of nearly all names. A list has tens of thousands.
        guard component.contains(where: { $0 == Self.slash || $0 == Self.equals }) else {
            return Array(component)
        }
        var escaped: [UInt8] = []
        escaped.reserveCapacity(component.count)
        // The component starts with the mark of an escaped component, but is not one.
        let isMarked = EscapedComponent.isMarked(component)
        for index in component.indices {
            let octet = component[index]
            if index == component.startIndex, isMarked {
                escaped.append(contentsOf: "=3D".utf8)
            } else if octet == Self.slash {
                escaped.append(contentsOf: "=2F".utf8)
            } else if octet == UInt8(ascii: "="), Self.isEscape(component[index...]) {
                escaped.append(contentsOf: "=3D".utf8)
            } else {
                escaped.append(octet)
            }
        }
        return escaped
    }

    /// The decoded component of a name; nil if `escape` would spell its path differently.
    private func unescape(_ component: ArraySlice<UInt8>) -> [UInt8]? {
        guard component.contains(Self.equals) else {
            let isOwn = !component.contains { $0 == self.delimiter || $0 == Self.slash }
            return isOwn && Self.isComponent(component) ? Array(component) : nil
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(component.count)
        var rest = component
        while let octet = rest.first {
            if octet == self.delimiter { return nil }
            if Self.isEscape(rest) {
                plain.append(rest.dropFirst().first == UInt8(ascii: "2") ? Self.slash : octet)
                rest = rest.dropFirst(3)
            } else {
                plain.append(octet)
                rest = rest.dropFirst()
            }
        }
        guard Self.isComponent(plain[...]), !plain.contains(where: { $0 == self.delimiter }),
            self.escape(plain[...]).elementsEqual(component)
        else { return nil }
        return plain
    }

    // MARK: - Names that are not modified UTF-7

    /// Whether the path contains an escaped component. Such a folder exists for nobody unless the
    /// server lists it. The octets are the server's own, and a client that could choose them freely
    /// could spell a name that leads elsewhere.
    package static func isEscaped(_ folder: FolderPath) -> Bool {
        folder.octets.split(separator: Self.slash).contains(where: EscapedComponent.isMarked)
    }

    /// Whether the last component is an escaped one.
    static func endsInEscapes(_ folder: FolderPath) -> Bool {
        folder.octets.split(separator: Self.slash).last.map(EscapedComponent.isMarked) ?? false
    }

    /// Whether a listed name is one of the account's own, and has no path.
    package func isOmitted(_ name: ByteBuffer) -> Bool {
        name.readableBytes > 0 && self.isPersonal(Array(name.readableBytesView))
            && self.folder(listedAs: name) == nil
    }

    /// The server's name of a folder with an escaped component, if the name translates back to the
    /// path.
    private func escapedName(of folder: FolderPath) -> ByteBuffer? {
        guard let name = self.spelled(folder), let full = self.prefixed(name),
            self.unprefixed(full) == name, self.isPersonal(full),
            self.isOwnSpelling(name, full: full), self.path(spelledAs: name) == folder
        else { return nil }
        return ByteBuffer(bytes: full)
    }

    /// The path of a name that is not modified UTF-7, if the path translates back to the name.
    ///
    /// - Parameters:
    ///   - name: the name without the account's prefix.
    ///   - full: the name with it.
    private func escapedFolder(named name: [UInt8], full: [UInt8]) -> FolderPath? {
        guard self.isOwnSpelling(name, full: full), let folder = self.path(spelledAs: name),
            Self.isEscaped(folder), self.spelled(folder) == name, self.prefixed(name) == full
        else { return nil }
        return folder
    }

    /// The name without the account's prefix, component by component.
    private func spelled(_ folder: FolderPath) -> [UInt8]? {
        var name: [UInt8] = []
        for (index, component) in folder.octets.split(separator: Self.slash).enumerated() {
            if index > 0 {
                guard let delimiter = self.delimiter else { return nil }
                name.append(delimiter)
            }
            let part =
                EscapedComponent.octets(of: component)
                ?? self.unescape(component).map(ModifiedUTF7.encode)
            guard let part else { return nil }
            name += part
        }
        return name
    }

    /// The path of a name without the account's prefix, component by component.
    private func path(spelledAs name: [UInt8]) -> FolderPath? {
        var path: [UInt8] = []
        for (index, component) in self.components(of: name).enumerated() {
            guard Self.isComponent(component) else { return nil }
            if index > 0 { path.append(Self.slash) }
            let decoded = ModifiedUTF7.decode(Array(component))
            if let decoded, EscapedComponent.isPresentable(decoded), Self.isComponent(decoded[...])
            {
                path += self.escape(decoded[...])
            } else if let escaped = EscapedComponent.path(for: component) {
                path += escaped
            } else {
                return nil
            }
        }
        return FolderPath(octets: path)
    }

    /// Splits a name at the server's delimiter.
    private func components(of octets: [UInt8]) -> [ArraySlice<UInt8>] {
        guard let delimiter = self.delimiter else { return [octets[...]] }
        return octets.split(separator: delimiter, omittingEmptySubsequences: false)
    }

    /// Whether a name is not another spelling of a name that leads elsewhere, for a server that
    /// accepts other spellings: of INBOX, of a name in another namespace, or of a name with other
    /// levels. The check covers the whole name and the part that the path shows.
    private func isOwnSpelling(_ name: [UInt8], full: [UInt8]) -> Bool {
        // These octets begin, form or end a shift in modified UTF-7, so as delimiters they would
        // divide it.
        if let delimiter = self.delimiter, "&+,-".utf8.contains(delimiter) { return false }
        return self.isPersonal(ModifiedUTF7.encode(ModifiedUTF7.decode(anySpelling: full)))
            && self.isReadAsWritten(full) && self.isReadAsWritten(name)
    }

    /// Whether a tolerant decoder finds the same components in a name as a strict one.
    private func isReadAsWritten(_ name: [UInt8]) -> Bool {
        let text = ModifiedUTF7.decode(anySpelling: name)
        let read = self.components(of: text)
        let written = self.components(of: name)
        guard read.count == written.count, let first = read.first else { return false }
        let isInbox = first.map(\.asciiUppercased).elementsEqual(MailboxName.inbox)
        return read.allSatisfy(Self.isComponent)
            && (!isInbox || written.first.map { $0.elementsEqual(first) } ?? false)
            && text.count { $0 == Self.slash } == name.count { $0 == Self.slash }
            && !text.contains { $0 == 0x00 || $0 == 0x0A || $0 == 0x0D }
    }

    /// Whether the octets start with one of the two escapes.
    private static func isEscape(_ octets: ArraySlice<UInt8>) -> Bool {
        octets.starts(with: "=2F".utf8) || octets.starts(with: "=3D".utf8)
    }
}
