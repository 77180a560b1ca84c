package import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// The translation between a folder's path and its name on one server.
///
/// A path is decoded UTF-8 with `/`; a server's name is modified UTF-7 with the server's
/// delimiter. A `/` inside a component, possible where the delimiter is another, is written `=2F`
/// in the path, and an `=` that would then be misread is written `=3D`, so that the translation
/// is one to one. A name that does not translate back to itself names no folder.
package struct UpstreamNames: Equatable, Sendable {
    private static let slash = UInt8(ascii: "/")

    private let delimiter: UInt8?
    private let personalPrefixes: [[UInt8]]
    private let foreignPrefixes: [[UInt8]]

    package init(_ profile: UpstreamProfile) {
        self.delimiter = profile.delimiter
        self.personalPrefixes = profile.personalPrefixes
        self.foreignPrefixes = profile.foreignPrefixes
    }

    /// The server's name of a folder, or nil when no folder there can have this path.
    package func name(of folder: FolderPath) -> ByteBuffer? {
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
        guard self.isPersonal(encoded) else { return nil }
        return ByteBuffer(bytes: encoded)
    }

    /// The path of a folder that the server named, or nil when it is none of the account's own.
    package func folder(named name: ByteBuffer) -> FolderPath? {
        let octets = Array(name.readableBytesView)
        guard self.isPersonal(octets), let decoded = ModifiedUTF7.decode(octets) else { return nil }
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

    /// The path of a folder that the server lists under exactly the name by which the gateway would ask for
    /// it; nil for any other, and for what is none of the account's own. Only `INBOX` alone has spellings.
    package func folder(listedAs name: ByteBuffer) -> FolderPath? {
        guard let folder = self.folder(named: name), let own = self.name(of: folder),
            own == name || folder.isInbox
        else { return nil }
        return folder
    }

    /// `.` and `..` mean something to a file system behind some server.
    private static func isComponent(_ octets: ArraySlice<UInt8>) -> Bool {
        let dot = UInt8(ascii: ".")
        return !octets.isEmpty && !octets.elementsEqual([dot]) && !octets.elementsEqual([dot, dot])
    }

    /// Whether a name, in wire octets, lies in a personal namespace and in no other.
    private func isPersonal(_ name: [UInt8]) -> Bool {
        if name.map(\.asciiUppercased).elementsEqual("INBOX".utf8) { return true }
        let personal = self.personalPrefixes.contains { name.starts(with: $0) }
        return personal && !self.foreignPrefixes.contains { self.isBelow($0, name) }
    }

    private func isBelow(_ prefix: [UInt8], _ name: [UInt8]) -> Bool {
        guard !prefix.isEmpty else { return false }
        // Some servers fold case: each spelling of another namespace's name leads there.
        let folded = prefix.lazy.map(\.asciiUppercased)
        let name = name.lazy.map(\.asciiUppercased)
        return name.starts(with: folded) || name.elementsEqual(folded.dropLast())
    }

    // MARK: - A delimiter inside a component

    private func escape(_ component: ArraySlice<UInt8>) -> [UInt8] {
        var escaped: [UInt8] = []
        escaped.reserveCapacity(component.count)
        for index in component.indices {
            let octet = component[index]
            if octet == Self.slash {
                escaped.append(contentsOf: "=2F".utf8)
            } else if octet == UInt8(ascii: "="), Self.isEscape(component[index...]) {
                escaped.append(contentsOf: "=3D".utf8)
            } else {
                escaped.append(octet)
            }
        }
        return escaped
    }

    /// The component on the server, or nil when the path spells it in another way than `escape`.
    private func unescape(_ component: ArraySlice<UInt8>) -> [UInt8]? {
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

    private static func isEscape(_ octets: ArraySlice<UInt8>) -> Bool {
        octets.starts(with: "=2F".utf8) || octets.starts(with: "=3D".utf8)
    }
}
