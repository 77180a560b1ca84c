/// The reason why an operation of a directory has no result. The texts are for administrators.
package enum DirectoryError: Error, Equatable, Sendable {
    /// The server refused the credentials of a bind.
    case refused(String)
    /// The server does not answer, is not trusted, or is busy. Another server may answer.
    case unavailable(String)
    /// The server answered, but not with a result: a wrong base, filter or right. Every server of
    /// the same directory would answer like this.
    case failed(String)
    /// The result has more entries than this limit of the caller.
    case tooManyEntries(Int)
}

extension DirectoryError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let reason), .unavailable(let reason), .failed(let reason):
            reason
        case .tooManyEntries(let limit):
            "the directory has more than \(limit) matching entries"
        }
    }
}
