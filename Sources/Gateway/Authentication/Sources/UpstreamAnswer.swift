/// The result of a login at a mail server, or a directory, with a client's password.
enum UpstreamAnswer: Equatable, Sendable {
    case accepted
    case refused
    /// The server does not know the user. The password was not sent.
    case unknown
    /// The server received the password and did not say whether it is right.
    case unanswered(reason: String)
    /// The password was not sent.
    case notAsked(reason: String)
}
