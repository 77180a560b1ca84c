extension CommandReader {
    /// The sizes up to which a client's octets are kept. What is larger is read away and refused.
    package struct Limits: Sendable {
        /// A client's longest line is a FETCH or STORE with a long sequence set: 20,000 UIDs one by
        /// one have 120 to 220 KiB. Without a bound a line without end fills the memory.
        package var maximumLineOctets: Int
        /// A literal that is no message is a name, a password or a search text.
        package var maximumLiteralOctets: Int
        /// All of a command but its messages; held in memory until it is complete.
        package var maximumCommandOctets: Int
        /// Each literal costs an announcement; without a bound a command never ends.
        package var maximumLiterals: Int
        /// A message; it is streamed, so this bounds what a server is asked to store.
        package var maximumMessageOctets: UInt64
        /// Octets of one command that are read away, so that its end is found. Nothing of them is
        /// kept; without a bound one command lasts for ever.
        package var maximumDiscardedOctets: UInt64

        /// Before login: what LOGIN and AUTHENTICATE need.
        package static let beforeLogin = Limits(
            maximumLineOctets: 8 * 1_024,
            maximumLiteralOctets: 4 * 1_024,
            maximumCommandOctets: 16 * 1_024,
            maximumLiterals: 8,
            maximumMessageOctets: 0,
            maximumDiscardedOctets: 64 * 1_024
        )
        /// ID before login: thirty fields, each with a name of 30 and a value of 1,024 octets
        /// (RFC 2971 §3.3), in quotes or as literals.
        package static let identification = Limits(
            maximumLineOctets: 40 * 1_024,
            maximumLiteralOctets: 4 * 1_024,
            maximumCommandOctets: 40 * 1_024,
            maximumLiterals: 60,
            maximumMessageOctets: 0,
            maximumDiscardedOctets: 64 * 1_024
        )
        package static let afterLogin = Limits(
            maximumLineOctets: 256 * 1_024,
            maximumLiteralOctets: 128 * 1_024,
            maximumCommandOctets: 256 * 1_024,
            maximumLiterals: 500,
            maximumMessageOctets: 150 * 1_024 * 1_024,
            maximumDiscardedOctets: 512 * 1_024 * 1_024
        )
    }
}
