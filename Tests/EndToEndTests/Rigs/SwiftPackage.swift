import Testing

/// Whatever runs `swift package provision` in the template's folder, one after the other: SwiftPM has one
/// process at a time in a package's build folder, and what one has built no other builds.
@Suite(.serialized) enum SwiftPackage {}
