/// Why a file was refused, as a sentence that says where and what to do; the whole of it counts as
/// not read.
package struct ReadingError: Error, Equatable, CustomStringConvertible, Sendable {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
