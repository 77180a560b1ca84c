/// The result of a login at a mail server with a client's password.
enum UpstreamAnswer: Equatable, Sendable {
    case accepted
    case refused
    /// The server received the password and did not say whether it is right.
    case unanswered(reason: String)
    /// The password was not sent.
    case notAsked(reason: String)
}
