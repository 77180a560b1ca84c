import Access

extension Rights {
    /// Parses the rights of SETACL: the letters of RFC 4314, and the letters `c` and `d` of RFC
    /// 2086, which stand for several of them (RFC 4314 §2.1.1).
    /// - Returns: nil for an unknown letter.
    init?(aclLetters letters: String) {
        let current = letters.replacing("c", with: "k").replacing("d", with: "xte")
        self.init(letters: current)
    }
}
