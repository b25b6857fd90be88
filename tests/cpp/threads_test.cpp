#include <gtest/gtest.h>

#include <cstddef>
#include <thread>
#include <vector>

#include "painting.hpp"

namespace {

using painting::Maps;
using posewire::Decoder;
using posewire::Poses;

constexpr int kThreads = 8;
constexpr int kRepetitions = 40;

Maps scene(int number) {
    std::vector<painting::Person> people;
    for (int i = 0; i <= number % 4; ++i) {
        const auto n = static_cast<float>(i);
        people.push_back(painting::person_at(6.3F + 13.0F * n, 8.1F + static_cast<float>(number),
                                             2.0F * n + static_cast<float>(number), 5));
        people.back().keypoints[static_cast<std::size_t>((i + number) % 5)].reset();
    }
    return painting::signed_maps(34, 52, people);
}

bool same(const Poses& a, const Poses& b) {
    return a.count == b.count && a.keypoints == b.keypoints &&
           a.keypoint_scores == b.keypoint_scores && a.origins == b.origins &&
           a.scores == b.scores && a.tags == b.tags;
}

template <class AnyDecoder>
Poses decode_with(const AnyDecoder& decoder, const Maps& maps) {
    return decoder.decode(maps.heatmap_view(), maps.tag_view());
}

/// How many of the answers differ from those of a lone thread.
template <class AnyDecoder>
int wrong_answers(const AnyDecoder& decoder, const std::vector<const Maps*>& frames,
                  const std::vector<Poses>& wanted) {
    int wrong = 0;
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
        for (std::size_t i = 0; i < frames.size(); ++i) {
            if (!same(decode_with(decoder, *frames[i]), wanted[i])) ++wrong;
        }
    }
    return wrong;
}

template <class AnyDecoder>
void expect_threads_agree(const AnyDecoder& decoder) {
    std::vector<Maps> scenes;
    std::vector<Poses> answers;
    for (int i = 0; i <= kThreads; ++i) {  // the last is common to all threads
        scenes.push_back(scene(i));
        answers.push_back(decode_with(decoder, scenes.back()));
        ASSERT_GE(answers.back().count, 1);
    }
    std::vector<int> wrong(kThreads, -1);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < wrong.size(); ++i) {
        threads.emplace_back([&, i] {
            wrong[i] =
                wrong_answers(decoder, {&scenes[i], &scenes.back()}, {answers[i], answers.back()});
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, std::vector<int>(kThreads, 0));
}

TEST(Threads, SharingADecoderGetTheAnswersOfALoneThread) {
    expect_threads_agree(Decoder(painting::options_for(5)));
}

TEST(Threads, SharingAReferenceDecoderDoSoToo) {
    expect_threads_agree(posewire::ReferenceDecoder(painting::reference_options_for(5)));
}

// Whatever is prepared on first use must be so for all threads that come at once.
TEST(Threads, EachWithTheirOwnDecoderStartTogether) {
    const Maps maps = scene(3);
    std::vector<Poses> answers(kThreads);
    std::vector<std::thread> threads;
    for (Poses& answer : answers) {
        threads.emplace_back([&maps, &answer] { answer = decode(maps); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const Poses& answer : answers) EXPECT_TRUE(same(answer, answers.front()));
    painting::expect_same(answers.front(), decode(maps));
}

}  // namespace
