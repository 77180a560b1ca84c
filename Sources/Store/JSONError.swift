/// Why a text cannot be read as JSON, or not as what is expected there, and where.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    package enum Problem: Equatable, Sendable {
        /// The text does not follow the grammar of RFC 8259, at a line and a column from 1.
        case syntax(line: Int, column: Int)
        /// A text value is not UTF-8 (RFC 8259 §8.1).
        case encoding
        /// An object lacks a required key.
        case missing(String)
        /// An object has a key that this version does not know.
        case unknown(String)
        /// An object has a key twice: nobody could see which value takes effect.
        case repeated(String)
        /// A value has another type.
        case type
        /// A value has the right type but no meaning there.
        case invalid(String)
    }

    /// What is wrong.
    package let problem: Problem
    /// Where the value is: keys, and indices such as `[0]`, from the outermost one.
    package private(set) var path: [String] = []

    /// Creates an error without a path.
    init(_ problem: Problem) {
        self.problem = problem
    }

    /// The error with the key or index of the value that contains the last one.
    func inside(_ step: String) -> JSONError {
        var error = self
        error.path.insert(step, at: 0)
        return error
    }

    /// The path and the problem, such as `accounts.[0].imap lacks the key host`.
    package var description: String {
        let place = self.path.joined(separator: ".")
        let value = place.isEmpty ? "the document" : place
        switch self.problem {
        case .syntax(let line, let column): return "it is not JSON: line \(line), column \(column)"
        case .encoding: return "it is not UTF-8"
        case .missing(let key): return "\(value) lacks the key \(key)"
        case .unknown(let key):
            let name = (self.path + [key]).joined(separator: ".")
            return "this version does not know the key \(name); correct its spelling or remove it"
        case .repeated(let key): return "\(value) has the key \(key) twice: remove one of them"
        case .type: return "\(value) has the wrong type"
        case .invalid(let reason): return "\(value) is invalid: \(reason)"
        }
    }
}
