/// What became of a call, as the JSON that the programs of all languages print.

#pragma once

#include <google/protobuf/struct.pb.h>

#include <vector>

#include "posewire/client.hpp"

namespace posewire::client::calls {

using Document = google::protobuf::Struct;

Document document_of(const Status& error);

/// Without times.
Document document_of(v1::EstimatePosesResponse response);

Document document_of(const std::vector<v1::Model>& models);

Document document_of(const Outcome& outcome);

/// A document with one key. Without a document its value is null.
Document document_with(const char* key, const Document* value);

/// Prints one line.
void print(const Document& line);

}  // namespace posewire::client::calls
