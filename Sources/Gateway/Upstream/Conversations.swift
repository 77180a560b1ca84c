import NIOCore

/// Limits of conversations outside client sessions.
enum Conversations {
    /// Octets that are read from a message file at once.
    static let chunk = 128 * 1_024
    /// The time from the login to the end of the conversation. A large message on a slow line needs
    /// minutes.
    static let timeout = TimeAmount.minutes(10)
    /// Silence checks within the time that a server may be silent.
    static let looks: Int64 = 10
    /// Responses that are read in one turn of the event loop. One read of a socket can bring
    /// thousands of short ones.
    static let responsesInTurn = 100
    /// The pause between two turns. Without it the event loop would run the next turn before it
    /// polls its sockets.
    static let pause = TimeAmount.microseconds(200)
}
