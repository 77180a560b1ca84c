import Access

extension Rights {
    /// Letters as SETACL has them: those of RFC 4314, and the two of RFC 2086 that stand for several
    /// of them (RFC 4314 §2.1.1).
    init?(aclLetters letters: String) {
        let current = letters.replacing("c", with: "k").replacing("d", with: "xte")
        self.init(letters: current)
    }
}
