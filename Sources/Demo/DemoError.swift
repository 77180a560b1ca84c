/// The reason why a server of the demo failed, with a remedy.
package struct DemoError: Error, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}
