/// A text that equals another one only with the same octets.
///
/// `String` compares canonical equivalents as equal: the Kelvin sign would be the letter K. The
/// names and identifiers of a token are compared octet by octet (RFC 7519 §2, StringOrURI).
struct ExactText: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The text.
    let text: String

    init(_ text: String) {
        self.text = text
    }

    init(stringLiteral text: String) {
        self.text = text
    }

    static func == (one: ExactText, other: ExactText) -> Bool {
        one.text.utf8.elementsEqual(other.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        for octet in self.text.utf8 { hasher.combine(octet) }
    }
}
