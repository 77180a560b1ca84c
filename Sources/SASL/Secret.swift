/// A secret value, such as a password or a token: its description is redacted in every build.
package struct Secret<Value: Sendable>: Sendable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    /// The value. Never put it into a log line, an error or a reply.
    package let value: Value

    package init(_ value: Value) {
        self.value = value
    }

    package var description: String { "(redacted)" }
    package var debugDescription: String { "(redacted)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension Secret: Equatable where Value: Equatable {}
