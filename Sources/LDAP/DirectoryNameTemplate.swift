/// A distinguished name with placeholders in its values:
/// `uid={user},ou=people,dc=kanzlei,dc=example`.
///
/// It is parsed when the configuration is read. A value for a placeholder cannot change its
/// structure.
package struct DirectoryNameTemplate: Equatable, Sendable {
    /// The value of placeholders while the template is checked. It is no hexadecimal number.
    private static let sample = "gatepost"

    private let pieces: TemplatePieces

    /// - Parameter text: a distinguished name (RFC 4514) with placeholders of
    ///   ``DirectoryPlaceholder``.
    /// - Throws: `failed` if it is not valid, or a placeholder is not in a value.
    package init(_ text: String) throws(DirectoryError) {
        do throws(DirectoryError) {
            self.pieces = try TemplatePieces(text)
            try Self.check(self.pieces)
        } catch {
            throw .failed("the name \(PeerText.printable(text.utf8)) is not valid: \(error)")
        }
    }

    private static func check(_ pieces: TemplatePieces) throws(DirectoryError) {
        guard !pieces.pieces.contains(.octet(UInt8(ascii: "\""))) else {
            throw .failed("it contains a quotation mark")
        }
        for (piece, next) in zip(pieces.pieces, pieces.pieces.dropFirst()) {
            if piece == .octet(UInt8(ascii: "\\")), case .placeholder = next {
                throw .failed("a placeholder follows a backslash")
            }
        }
        // The structure must be the same whatever the values are.
        let login = DirectoryLogin("\(Self.sample)@\(Self.sample)")
        guard let name = pieces.filled(with: login, escape: { _ in Self.sample }),
            let parts = DirectoryName.parts(of: name), !parts.isEmpty
        else { throw .failed("it is not a distinguished name") }
        let placeholders = pieces.pieces.count { piece in
            if case .placeholder = piece { true } else { false }
        }
        let inValues = parts.joined().map { pair in
            String(decoding: pair.value, as: UTF8.self).ranges(of: Self.sample).count
        }
        guard inValues.reduce(0, +) == placeholders else {
            throw .failed("a placeholder is not in a value")
        }
    }

    /// The placeholders in use.
    package var placeholders: Set<DirectoryPlaceholder> { self.pieces.placeholders }

    /// The name for a login.
    /// - Returns: nil if the login lacks a part, such as the domain.
    package func name(for login: DirectoryLogin) -> String? {
        self.pieces.filled(with: login) { DirectoryName.escaped($0) }
    }
}
