import NIOCore

/// Bounds of conversations that no client leads.
enum Conversations {
    /// Octets read from a file at once.
    static let chunk = 128 * 1_024
    /// From the login to the end; a large message on a slow line takes its time.
    static let timeout = TimeAmount.minutes(10)
    /// In the time for which a server may be silent.
    static let looks: Int64 = 10
    /// Responses that are taken in a turn: one read of a socket brings thousands of short ones.
    static let responsesInTurn = 100
    /// Between two turns. A loop runs what is due at once before it looks for what peers have sent.
    static let pause = TimeAmount.microseconds(200)
}
