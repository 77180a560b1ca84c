/// The result of a login at a mail server, or a directory, with a client's password.
enum UpstreamAnswer: Equatable, Sendable {
    case accepted
    case refused
    /// The server does not know the user. The password was not sent.
    case unknown
    /// The server answered, and the login cannot be decided: others can. The password was not sent.
    case undecided(reason: String)
    /// The server received the password and did not say whether it is right.
    case unanswered(reason: String)
    /// The password was not sent, because the server cannot be used now.
    case notAsked(reason: String)
}
